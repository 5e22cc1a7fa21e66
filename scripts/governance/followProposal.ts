import { BaseError } from "@haca/protocol/baseError";
import type { Contract } from "ethers";
import { byHash, findProposal, type Proposal, STATE_NAMES } from "./proposals.ts";
import { type Options, type Session, send } from "./session.ts";
import { showProposal } from "./showProposal.ts";

const SUPPORT = ["against", "for", "abstain"];

/** Commands about one proposal: `vote`, `queue`, `execute`, `cancel`, `status`, `decode`. */
export async function followProposal(session: Session, options: Options): Promise<void> {
  const [command = "", text = "", choice = ""] = options.positionals;
  if (!/^[0-9]+$/.test(text)) {
    throw new BaseError({
      code: "governance.badArgument",
      message: `${command} needs the number of a proposal, got ${text}`,
    });
  }
  const proposalId = BigInt(text);
  const governor = await session.contract("HacaGovernor");
  const fromBlock = session.book.contracts.HacaGovernor?.block ?? 0;
  const proposal = await findProposal({ governor, fromBlock, proposalId });
  if (command === "vote") {
    const support = SUPPORT.indexOf(choice);
    if (support < 0) {
      throw new BaseError({
        code: "governance.badArgument",
        message: `a vote is one of ${SUPPORT.join(", ")}, got ${choice}`,
      });
    }
    await send(governor, "castVote", [proposalId, support]);
  } else if (command === "queue" || command === "execute") {
    await send(governor, command, byHash(proposal));
  } else if (command === "cancel") {
    await cancel({ session, governor, proposal, proposalId });
  } else {
    const withState = command === "status";
    await showProposal({ session, governor, proposal, proposalId, withState });
  }
}

/** The proposer cancels what is not voted on yet; afterwards it is the guardian's, in the timelock. */
async function cancel(parameters: {
  session: Session;
  governor: Contract;
  proposal: Proposal;
  proposalId: bigint;
}): Promise<void> {
  const { session, governor, proposal, proposalId } = parameters;
  const state = STATE_NAMES[Number(await governor.getFunction("state")(proposalId))];
  if (state !== "queued") return send(governor, "cancel", byHash(proposal));
  const timelock = await session.contract("TimelockController");
  const [targets, values, calldatas, descriptionHash] = byHash(proposal);
  const salt = (BigInt(await governor.getAddress()) << 96n) ^ BigInt(descriptionHash);
  const operation = await timelock.getFunction("hashOperationBatch")(
    ...[targets, values, calldatas, `0x${"00".repeat(32)}`],
    `0x${salt.toString(16).padStart(64, "0")}`,
  );
  await send(timelock, "cancel", [operation]);
}

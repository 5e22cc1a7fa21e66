import { BaseError } from "@haca/protocol/baseError";
import { nextBlockTime } from "../lib/chainSession.ts";
import type { ChangeName, ContractOf } from "../lib/contracts.ts";
import { isoTime, opg } from "../lib/words.ts";
import { deliver, type Outgoing } from "./deliver.ts";
import { describeVotes } from "./describeVotes.ts";
import {
  byHash,
  type KnownProposal,
  openProposal,
  type StateName,
  saltOf,
  stateOf,
} from "./proposals.ts";
import { type Sender, type SendOptions, type Session, senderOf } from "./session.ts";
import { describeProposal } from "./showProposal.ts";

export type Following = "vote" | "queue" | "execute" | "cancel";

const SUPPORT = ["against", "for", "abstain"];
const ZERO_WORD = `0x${"00".repeat(32)}`;

/** A proposal as it stands, and who is about to do something with it. */
type Situation = {
  session: Session;
  governor: ContractOf<"HacaGovernor">;
  proposal: KnownProposal;
  state: StateName;
  sender: Sender;
};

/** What is to be sent, and in words what it changes. */
type Step = { words: string; transaction: Outgoing };

const refuse = (message: string): BaseError =>
  new BaseError({ code: "governance.badArgument", message });

/**
 * `vote`, `queue`, `execute`, `cancel`: one transaction about one proposal. What the proposal's state does not allow,
 * and what would change nothing, is refused before anything is sent.
 */
export async function followProposal(
  session: Session,
  command: Following,
  values: { proposal: string; choice?: string },
  options: SendOptions,
): Promise<void> {
  const sender = await senderOf(session, options);
  const { governor, proposal } = await openProposal(session, values.proposal);
  const state = await stateOf(governor, proposal.proposalId);
  const situation = { session, governor, proposal, state, sender };
  const step = await STEPS[command](situation, values.choice ?? "");
  for (const line of await describeProposal(session, proposal)) console.log(line);
  console.log(`what will change:\n  ${step.words}`);
  await deliver({
    ...{ session, options, sender },
    ...{ title: `${command} proposal`, description: step.words, transactions: [step.transaction] },
  });
}

const STEPS: Readonly<Record<Following, (situation: Situation, choice: string) => Promise<Step>>> =
  { vote, queue, execute, cancel };

async function vote(situation: Situation, choice: string): Promise<Step> {
  const { session, governor, proposal, state, sender } = situation;
  const { proposalId } = proposal;
  const support = SUPPORT.indexOf(choice);
  if (support < 0) throw refuse(`a vote is one of ${SUPPORT.join(", ")}, got ${choice}`);
  const snapshot = await governor.proposalSnapshot(proposalId);
  if (state === "pending") {
    throw refuse(`proposal ${proposalId} is pending: its vote begins after ${isoTime(snapshot)}`);
  }
  if (state !== "active") throw refuse(`proposal ${proposalId} is ${state}: its vote is over`);
  if (await governor.hasVoted(proposalId, sender.address)) {
    throw refuse(`${sender.address} has voted on proposal ${proposalId} already`);
  }
  const { votes, words } = await describeVotes(session, governor, {
    ...{ account: sender.address, at: snapshot },
  });
  if (votes === 0n) {
    const held = opg(await (await session.contract("OPG")).balanceOf(sender.address));
    throw refuse(
      `${sender.address} had no votes at the snapshot, ${isoTime(snapshot)} (it holds ${held} now; ` +
        "tokens vote once they are delegated, stake in a validator's pool without that; both only in proposals made " +
        "afterwards)",
    );
  }
  return {
    words: `${words} ${choice} proposal ${proposalId}, for good`,
    transaction: await onGovernor(governor, "castVote", [proposalId, support]),
  };
}

async function queue({ governor, proposal, state }: Situation): Promise<Step> {
  if (state !== "succeeded") throw refuse(wrongState(proposal, state, "queued"));
  return {
    words: `proposal ${proposal.proposalId}: succeeded -> queued, executable after the timelock's delay`,
    transaction: await onGovernor(governor, "queue", byHash(proposal)),
  };
}

async function execute({ session, governor, proposal, state }: Situation): Promise<Step> {
  if (state !== "queued") throw refuse(wrongState(proposal, state, "executed"));
  const { proposalId } = proposal;
  const due = await governor.proposalEta(proposalId);
  if (due > (await nextBlockTime(session.provider))) {
    throw refuse(`proposal ${proposalId} is in the timelock: executable from ${isoTime(due)}`);
  }
  return {
    words: `proposal ${proposalId}: queued -> executed, its calls are made`,
    transaction: await onGovernor(governor, "execute", byHash(proposal)),
  };
}

const NEXT: Readonly<Partial<Record<StateName, string>>> = {
  pending: "its vote has not begun",
  active: "its vote is not over",
  defeated: "it did not pass",
  succeeded: "it has to be queued first",
  queued: "it is in the timelock already",
};

const wrongState = ({ proposalId }: KnownProposal, state: StateName, wanted: string): string => {
  const reason = NEXT[state];
  const why = reason === undefined ? "that is final" : reason;
  return `proposal ${proposalId} is ${state} and cannot be ${wanted}: ${why}`;
};

/** The proposer cancels what is not voted on yet; afterwards it is the guardian's, in the timelock. */
async function cancel({ session, governor, proposal, state, sender }: Situation): Promise<Step> {
  const { proposalId, proposer } = proposal;
  const words = `proposal ${proposalId}: ${state} -> canceled, for good`;
  if (state === "pending") {
    if (sender.address !== proposer) {
      throw refuse(
        `proposal ${proposalId} is pending: only its proposer ${proposer} cancels it before the vote, the guardian once it is queued`,
      );
    }
    return { words, transaction: await onGovernor(governor, "cancel", byHash(proposal)) };
  }
  if (state === "active" || state === "succeeded") {
    throw refuse(
      `proposal ${proposalId} is ${state}: the guardian can cancel it once it is queued, nobody before`,
    );
  }
  if (state !== "queued") throw refuse(wrongState(proposal, state, "canceled"));
  const timelock = await session.contract("TimelockController");
  const [targets, values, calldatas] = byHash(proposal);
  const salt = saltOf(await governor.getAddress(), proposal);
  const operation = await timelock.hashOperationBatch(
    ...([targets, values, calldatas, ZERO_WORD, salt] as const),
  );
  return {
    words,
    transaction: {
      name: "cancel",
      target: await timelock.getAddress(),
      data: timelock.interface.encodeFunctionData("cancel", [operation]),
    },
  };
}

async function onGovernor(
  governor: ContractOf<"HacaGovernor">,
  name: ChangeName<"HacaGovernor">,
  values: readonly unknown[],
): Promise<Outgoing> {
  const data = governor.interface.encodeFunctionData(name, [...values]);
  return { name, target: await governor.getAddress(), data };
}

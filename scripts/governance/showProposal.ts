import { type Contract, Interface } from "ethers";
import hre from "hardhat";
import { printable } from "../lib/printable.ts";
import { describeCall } from "./describeCall.ts";
import { type Proposal, STATE_NAMES } from "./proposals.ts";
import type { Session } from "./session.ts";

/** Prints a proposal, its calls decoded, and on demand where it stands. */
export async function showProposal(parameters: {
  session: Session;
  governor: Contract;
  proposal: Proposal & { proposer: string };
  proposalId: bigint;
  withState: boolean;
}): Promise<void> {
  const { governor, proposal, proposalId, withState } = parameters;
  const { book } = parameters.session;
  const names = [...Object.keys(book.contracts), "VestingVault"];
  const interfaces = new Map<string, Interface>();
  for (const name of names) {
    interfaces.set(name, new Interface((await hre.artifacts.readArtifact(name)).abi));
  }
  const description = proposal.description.split("\n").map(printable).join("\n  ");
  console.log(`proposal ${proposalId} by ${proposal.proposer}\n  ${description}`);
  proposal.targets.forEach((target, index) => {
    const data = proposal.calldatas[index] ?? "0x";
    const interfaceOf = (name: string) => interfaces.get(name);
    console.log(`  ${printable(describeCall({ book, interfaceOf, target, data }))}`);
  });
  if (!withState) return;
  const read = (view: string) => governor.getFunction(view)(proposalId);
  const moment = (seconds: bigint): string =>
    seconds === 0n ? "not yet" : new Date(Number(seconds) * 1000).toISOString();
  const [against, inFavour, abstain] = await read("proposalVotes");
  const snapshot: bigint = await read("proposalSnapshot");
  console.log(`  state ${STATE_NAMES[Number(await read("state"))]}`);
  console.log(`  vote from ${moment(snapshot)} to ${moment(await read("proposalDeadline"))}`);
  console.log(`  for ${inFavour}, against ${against}, abstain ${abstain} (smallest units)`);
  console.log(`  executable from ${moment(await read("proposalEta"))}`);
}

/** Prints one line per proposal. */
export async function listProposals(session: Session): Promise<void> {
  const governor = await session.contract("HacaGovernor");
  const events = await governor.queryFilter(
    "ProposalCreated",
    session.book.contracts.HacaGovernor?.block,
  );
  for (const event of events) {
    if (!("args" in event)) continue;
    const { proposalId, description } = event.args;
    const state = STATE_NAMES[Number(await governor.getFunction("state")(proposalId))];
    console.log(`${proposalId}  ${state}  ${printable(description)}`);
  }
  console.log(`${events.length} proposals`);
}

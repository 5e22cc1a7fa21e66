import type { Interface } from "ethers";
import { printable } from "../lib/printable.ts";
import { describeCall } from "./describeCall.ts";
import { openProposal, stateOf } from "./followProposal.ts";
import { type KnownProposal, readProposals, textLines } from "./proposals.ts";
import { moment, type Session } from "./session.ts";

/** A proposal's text and its calls, decoded: one line each. */
export async function describeProposal(
  session: Session,
  proposal: KnownProposal,
): Promise<string[]> {
  const { book } = session;
  const { default: hre } = await import("hardhat");
  const { Interface } = await import("ethers");
  const interfaces = new Map<string, Interface>();
  for (const name of [...Object.keys(book.contracts), "VestingVault"]) {
    interfaces.set(name, new Interface((await hre.artifacts.readArtifact(name)).abi));
  }
  const interfaceOf = (name: string) => interfaces.get(name);
  return [
    `proposal ${proposal.proposalId} by ${proposal.proposer}`,
    ...textLines(proposal).map((line) => `  ${line}`),
    "calls:",
    ...proposal.targets.map((target, index) => {
      const data = proposal.calldatas[index] ?? "0x";
      const value = proposal.values[index] ?? 0n;
      const paid = value === 0n ? "" : ` with ${value} wei`;
      return `  ${printable(describeCall({ book, interfaceOf, target, data }))}${paid}`;
    }),
  ];
}

/** `decode`, and `status` with where it stands. */
export async function showProposal(
  session: Session,
  text: string,
  { withState }: { withState: boolean },
): Promise<void> {
  const { governor, proposal } = await openProposal(session, text);
  for (const line of await describeProposal(session, proposal)) console.log(line);
  if (!withState) return;
  const { proposalId } = proposal;
  const read = (view: string) => governor.getFunction(view)(proposalId);
  const [against, inFavour, abstain] = await read("proposalVotes");
  const snapshot: bigint = await read("proposalSnapshot");
  const eta: bigint = await read("proposalEta");
  console.log(`  state ${await stateOf(governor, proposalId)}`);
  console.log(`  vote from ${moment(snapshot)} to ${moment(await read("proposalDeadline"))}`);
  console.log(`  for ${inFavour}, against ${against}, abstain ${abstain} (smallest units)`);
  console.log(`  executable from ${eta === 0n ? "not yet" : moment(eta)}`);
}

/** `list`: one line for each proposal. */
export async function listProposals(session: Session): Promise<void> {
  const governor = await session.contract("HacaGovernor");
  const proposals = await readProposals({
    provider: session.provider,
    governor: await governor.getAddress(),
    fromBlock: session.book.contracts.HacaGovernor?.block ?? 0,
  });
  for (const proposal of proposals) {
    const state = await stateOf(governor, proposal.proposalId);
    console.log(`${proposal.proposalId}  ${state}  ${textLines(proposal)[0] ?? ""}`);
  }
  console.log(`${proposals.length} proposals`);
}

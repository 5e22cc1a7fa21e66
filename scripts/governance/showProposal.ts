import { isoTime, printable } from "../lib/words.ts";
import { describeCall, loadInterfaces } from "./describeCall.ts";
import {
  type KnownProposal,
  openProposal,
  readProposals,
  stateOf,
  textLines,
} from "./proposals.ts";
import type { Session } from "./session.ts";

/** A proposal's text and its calls, decoded: one line each. */
export async function describeProposal(
  session: Session,
  proposal: KnownProposal,
): Promise<string[]> {
  const { book } = session;
  const interfaceOf = await loadInterfaces();
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
  const [against, inFavour, abstain] = await governor.proposalVotes(proposalId);
  const snapshot = await governor.proposalSnapshot(proposalId);
  const deadline = await governor.proposalDeadline(proposalId);
  const eta = await governor.proposalEta(proposalId);
  console.log(`  state ${await stateOf(governor, proposalId)}`);
  console.log(`  vote from ${isoTime(snapshot)} to ${isoTime(deadline)}`);
  console.log(`  for ${inFavour}, against ${against}, abstain ${abstain} (smallest units)`);
  console.log(`  executable from ${eta === 0n ? "not yet" : isoTime(eta)}`);
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

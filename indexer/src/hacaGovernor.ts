import type { Context, Event } from "ponder:registry";
import { governorParameterChange, proposal, timelockOperation, vote } from "ponder:schema";
import { governorAbi } from "@haca/protocol/abi";
import type { GovernorParameterName } from "../schema/governance.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";
import { descriptionBytes, timelockOperationId } from "./proposalBytes.ts";
import { readConstant, stateClient } from "./readState.ts";

/** Names of `GovernorCountingSimple.VoteType`, and the columns that count them. */
const SUPPORTS = [
  { name: "against", column: "againstVotes" },
  { name: "for", column: "forVotes" },
  { name: "abstain", column: "abstainVotes" },
] as const;

type Vote = Event<"HacaGovernor:VoteCast"> | Event<"HacaGovernor:VoteCastWithParams">;

if (isIndexed("HacaGovernor")) {
  indexProposals();
  indexVotes();
  indexSettings();
}

function indexProposals(): void {
  on("HacaGovernor:ProposalCreated", async ({ event, context }) => {
    const { proposalId, proposer, targets, values, calldatas, description } = event.args;
    await context.db.insert(proposal).values({
      ...{ id: proposalId, proposer, targets: [...targets], calldatas: [...calldatas] },
      values: values.map(String),
      description,
      createdAt: event.block.timestamp,
      voteStart: event.args.voteStart,
      voteEnd: event.args.voteEnd,
      ...{ forVotes: 0n, againstVotes: 0n, abstainVotes: 0n },
      timelockId: timelockOperationId({
        ...{ governor: event.log.address, targets, values, calldatas },
        description: descriptionBytes(event.log.data),
      }),
      transactionHash: event.transaction.hash,
      blockNumber: event.block.number,
    });
  });

  on("HacaGovernor:ProposalExtended", async ({ event, context }) => {
    await context.db
      .update(proposal, { id: event.args.proposalId })
      .set({ voteEnd: event.args.extendedDeadline });
  });

  on("HacaGovernor:ProposalQueued", async ({ event, context }) => {
    const { proposalId: id, etaSeconds: executableAt } = event.args;
    const { timelockId } = await context.db
      .update(proposal, { id })
      .set({ queuedAt: event.block.timestamp, executableAt });
    // The timelock told of it a moment ago, unless the address book names another timelock.
    if ((await context.db.find(timelockOperation, { id: timelockId })) !== null) {
      await context.db.update(timelockOperation, { id: timelockId }).set({ proposalId: id });
    }
  });

  on("HacaGovernor:ProposalExecuted", async ({ event, context }) => {
    await context.db
      .update(proposal, { id: event.args.proposalId })
      .set({ executedAt: event.block.timestamp });
  });

  on("HacaGovernor:ProposalCanceled", async ({ event, context }) => {
    await context.db
      .update(proposal, { id: event.args.proposalId })
      .set({ canceledAt: event.block.timestamp });
  });
}

function indexVotes(): void {
  on("HacaGovernor:VoteCast", insertVote);
  on("HacaGovernor:VoteCastWithParams", insertVote);
}

async function insertVote({ event, context }: { event: Vote; context: Context }): Promise<void> {
  const { proposalId, voter, weight, reason } = event.args;
  const support = SUPPORTS[event.args.support];
  if (support === undefined) {
    throw new RangeError(`support must be below ${SUPPORTS.length}, got ${event.args.support}`);
  }
  const { name, column } = support;
  await context.db.insert(vote).values({
    ...{ proposalId, voter, support: name, weight, reason },
    castAt: event.block.timestamp,
    transactionHash: event.transaction.hash,
  });
  const { voteStart, quorum } = await context.db
    .update(proposal, { id: proposalId })
    .set((row) => ({ [column]: row[column] + weight }));
  if (quorum === null) {
    // No event says it. The snapshot is in the past of this vote: it does not change any more.
    const needed = await readConstant({
      block: event.block.number,
      read: (at) =>
        stateClient.readContract({
          abi: governorAbi,
          address: event.log.address,
          functionName: "quorum",
          args: [voteStart],
          ...at,
        }),
    });
    await context.db.update(proposal, { id: proposalId }).set({ quorum: needed });
  }
}

function indexSettings(): void {
  on("HacaGovernor:VotingDelaySet", async ({ event, context }) => {
    const { oldVotingDelay: previous, newVotingDelay: current } = event.args;
    await insertChange({ context, event, name: "votingDelay", previous, current });
  });

  on("HacaGovernor:VotingPeriodSet", async ({ event, context }) => {
    const { oldVotingPeriod: previous, newVotingPeriod: current } = event.args;
    await insertChange({ context, event, name: "votingPeriod", previous, current });
  });

  on("HacaGovernor:ProposalThresholdSet", async ({ event, context }) => {
    const { oldProposalThreshold: previous, newProposalThreshold: current } = event.args;
    await insertChange({ context, event, name: "proposalThreshold", previous, current });
  });

  on("HacaGovernor:QuorumNumeratorUpdated", async ({ event, context }) => {
    const { oldQuorumNumerator: previous, newQuorumNumerator: current } = event.args;
    await insertChange({ context, event, name: "quorumNumerator", previous, current });
  });

  on("HacaGovernor:LateQuorumVoteExtensionSet", async ({ event, context }) => {
    const { oldVoteExtension: previous, newVoteExtension: current } = event.args;
    await insertChange({
      ...{ context, event, name: "lateQuorumExtension" },
      previous: BigInt(previous),
      current: BigInt(current),
    });
  });
}

async function insertChange(parameters: {
  context: Context;
  event: Pick<Event<"HacaGovernor:VotingDelaySet">, "block" | "log" | "transaction">;
  name: GovernorParameterName;
  previous: bigint;
  current: bigint;
}): Promise<void> {
  const { context, event, name, previous, current } = parameters;
  await context.db.insert(governorParameterChange).values({
    blockNumber: event.block.number,
    logIndex: event.log.logIndex,
    ...{ name, previous, current },
    changedAt: event.block.timestamp,
    transactionHash: event.transaction.hash,
  });
}

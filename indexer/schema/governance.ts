import { index, onchainTable, primaryKey, relations } from "ponder";
import { rowBlock } from "./rowBlock.ts";

/** Tables of the governor and its timelock. Votes are in OPG's smallest unit. */

/** A proposal. Its state at a time follows from this row alone: see docs/indexer.md. */
export const proposal = onchainTable(
  "proposal",
  (t) => ({
    id: t.bigint().primaryKey(),
    proposer: t.hex().notNull(),
    targets: t.jsonb().$type<`0x${string}`[]>().notNull(),
    /** wei, as decimal strings */
    values: t.jsonb().$type<string[]>().notNull(),
    calldatas: t.jsonb().$type<`0x${string}`[]>().notNull(),
    description: t.text().notNull(),
    createdAt: t.bigint().notNull(),
    /** votes count as they stood then; it opens the second after */
    voteStart: t.bigint().notNull(),
    /** last second of the vote; a late quorum moves it */
    voteEnd: t.bigint().notNull(),
    forVotes: t.bigint().notNull(),
    againstVotes: t.bigint().notNull(),
    abstainVotes: t.bigint().notNull(),
    /** votes for and abstaining that it needs; null before the first vote, without which it cannot be reached */
    quorum: t.bigint(),
    /** what the timelock calls it */
    timelockId: t.hex().notNull(),
    queuedAt: t.bigint(),
    /** from when on it can be executed */
    executableAt: t.bigint(),
    /** by the governor, or at the timelock by anybody */
    executedAt: t.bigint(),
    /** by its proposer, or at the timelock by the guardian */
    canceledAt: t.bigint(),
    transactionHash: t.hex().notNull(),
    blockNumber: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ proposerIndex: index().on(table.proposer) }),
);

export const vote = onchainTable(
  "vote",
  (t) => ({
    proposalId: t.bigint().notNull(),
    voter: t.hex().notNull(),
    support: t.text().$type<"against" | "for" | "abstain">().notNull(),
    weight: t.bigint().notNull(),
    reason: t.text().notNull(),
    castAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.proposalId, table.voter] }),
    voterIndex: index().on(table.voter),
  }),
);

/** Changes of the governor's settings, its first ones included. Times in seconds, threshold in the smallest unit. */
export const governorParameterChange = onchainTable(
  "governor_parameter_change",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    name: t.text().$type<GovernorParameterName>().notNull(),
    previous: t.bigint().notNull(),
    current: t.bigint().notNull(),
    changedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }) }),
);

export type GovernorParameterName =
  | "votingDelay"
  | "votingPeriod"
  | "proposalThreshold"
  | "quorumNumerator"
  | "lateQuorumExtension";

/** What waits, or waited, in the timelock. */
export const timelockOperation = onchainTable("timelock_operation", (t) => ({
  id: t.hex().primaryKey(),
  /** null if it was not scheduled by the governor for a proposal */
  proposalId: t.bigint(),
  scheduledAt: t.bigint().notNull(),
  readyAt: t.bigint().notNull(),
  executedAt: t.bigint(),
  canceledAt: t.bigint(),
  rowBlock: rowBlock(t),
}));

export const proposalRelations = relations(proposal, ({ one, many }) => ({
  votes: many(vote),
  operation: one(timelockOperation, {
    fields: [proposal.timelockId],
    references: [timelockOperation.id],
  }),
}));

export const voteRelations = relations(vote, ({ one }) => ({
  proposal: one(proposal, { fields: [vote.proposalId], references: [proposal.id] }),
}));

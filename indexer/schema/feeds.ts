import type { SkipReason } from "@haca/protocol/dataFeeds";
import { index, onchainTable, primaryKey, relations } from "ponder";
import { teeNode } from "./attestation.ts";
import { rowBlock } from "./rowBlock.ts";

/** Tables of data feeds. Values are integers: times 10^-decimals of their feed they are what was observed. */

/** A feed that governance has created. */
export const feed = onchainTable("feed", (t) => ({
  id: t.hex().primaryKey(),
  /** where consumers read it */
  reader: t.hex().notNull(),
  description: t.text().notNull(),
  decimals: t.integer().notNull(),
  /** names its one source */
  sourceHash: t.hex().notNull(),
  /** seconds within which a round is expected */
  heartbeat: t.bigint().notNull(),
  /** hundredths of a percent of the median, beyond which an observation is left out */
  maximumDeviation: t.integer().notNull(),
  minimumObservations: t.integer().notNull(),
  /** null as long as it has no round */
  latestRoundId: t.bigint(),
  latestAnswer: t.bigint(),
  latestUpdatedAt: t.bigint(),
  createdAt: t.bigint().notNull(),
  /** when governance ended it; null while it is open */
  closedAt: t.bigint(),
  transactionHash: t.hex().notNull(),
  rowBlock: rowBlock(t),
}));

export const feedRound = onchainTable(
  "feed_round",
  (t) => ({
    feedId: t.hex().notNull(),
    roundId: t.bigint().notNull(),
    answer: t.bigint().notNull(),
    /** when it was observed; `timestamp` is when it was posted */
    updatedAt: t.bigint().notNull(),
    /** how many observations counted */
    observations: t.integer().notNull(),
    poster: t.hex().notNull(),
    timestamp: t.bigint().notNull(),
    blockNumber: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.feedId, table.roundId] }),
    timeIndex: index().on(table.feedId, table.updatedAt),
  }),
);

/** An observation that was posted with a round and did not count. */
export const skippedObservation = onchainTable(
  "skipped_observation",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    feedId: t.hex().notNull(),
    roundId: t.bigint().notNull(),
    /** the node that it names; with the reason `InvalidSignature` it is not the node's word */
    teeId: t.hex().notNull(),
    value: t.bigint().notNull(),
    observedAt: t.bigint().notNull(),
    reason: t.text().$type<SkipReason>().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    roundIndex: index().on(table.feedId, table.roundId),
    nodeIndex: index().on(table.teeId),
  }),
);

export const feedRelations = relations(feed, ({ many }) => ({ rounds: many(feedRound) }));

export const feedRoundRelations = relations(feedRound, ({ one, many }) => ({
  feed: one(feed, { fields: [feedRound.feedId], references: [feed.id] }),
  skipped: many(skippedObservation),
}));

export const skippedObservationRelations = relations(skippedObservation, ({ one }) => ({
  round: one(feedRound, {
    fields: [skippedObservation.feedId, skippedObservation.roundId],
    references: [feedRound.feedId, feedRound.roundId],
  }),
  node: one(teeNode, { fields: [skippedObservation.teeId], references: [teeNode.id] }),
}));

import { index, onchainTable, primaryKey, relations } from "ponder";
import { node } from "./inference.ts";
import { rowBlock } from "./rowBlock.ts";

/** Tables of gates of payment channels. Amounts are in smallest units of a token. */

/** A gate, which never changes. */
export const channelGate = onchainTable(
  "channel_gate",
  (t) => ({
    address: t.hex().primaryKey(),
    /** whose results count */
    nodeAddress: t.hex().notNull(),
    payee: t.hex().notNull(),
    /** null where there is none */
    feeReceiver: t.hex(),
    /** hundredths of a percent of what comes in */
    feeBps: t.integer().notNull(),
    /** bits of the kinds of results that count, as the contract has them */
    kinds: t.integer().notNull(),
    openedAt: t.bigint().notNull(),
    opener: t.hex().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    nodeIndex: index().on(table.nodeAddress),
    payeeIndex: index().on(table.payee),
  }),
);

/** What was counted for a channel at a gate. Payer, token and claims are in x402's contract, which is not indexed. */
export const channel = onchainTable(
  "channel",
  (t) => ({
    gate: t.hex().notNull(),
    /** the last 20 bytes are the requester of its results */
    id: t.hex().notNull(),
    /** sum of the prices: what may be claimed of it, all claims together */
    proven: t.bigint().notNull(),
    resultCount: t.integer().notNull(),
    countedAt: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.gate, table.id] }) }),
);

/** Results of one ledger page that were counted for a channel at once. */
export const channelCount = onchainTable(
  "channel_count",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    gate: t.hex().notNull(),
    channelId: t.hex().notNull(),
    ledgerPage: t.bigint().notNull(),
    /** the results, by their places in the page */
    bitmap: t.bigint().notNull(),
    resultCount: t.integer().notNull(),
    /** sum of their prices */
    amount: t.bigint().notNull(),
    counter: t.hex().notNull(),
    timestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    channelIndex: index().on(table.gate, table.channelId),
  }),
);

/** What came in at a gate and was shared out. */
export const gateCollection = onchainTable(
  "gate_collection",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    gate: t.hex().notNull(),
    token: t.hex().notNull(),
    amount: t.bigint().notNull(),
    /** the fee's part of it */
    fee: t.bigint().notNull(),
    timestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    gateIndex: index().on(table.gate, table.token),
  }),
);

/** What a failed transfer left an account at a gate, which it may withdraw. */
export const gateCredit = onchainTable(
  "gate_credit",
  (t) => ({
    gate: t.hex().notNull(),
    token: t.hex().notNull(),
    account: t.hex().notNull(),
    amount: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.gate, table.token, table.account] }) }),
);

export const channelGateRelations = relations(channelGate, ({ many, one }) => ({
  node: one(node, { fields: [channelGate.nodeAddress], references: [node.address] }),
  channels: many(channel),
  collections: many(gateCollection),
}));

export const channelRelations = relations(channel, ({ many, one }) => ({
  gateRow: one(channelGate, { fields: [channel.gate], references: [channelGate.address] }),
  counts: many(channelCount),
}));

export const channelCountRelations = relations(channelCount, ({ one }) => ({
  channel: one(channel, {
    fields: [channelCount.gate, channelCount.channelId],
    references: [channel.gate, channel.id],
  }),
}));

export const gateCollectionRelations = relations(gateCollection, ({ one }) => ({
  gateRow: one(channelGate, { fields: [gateCollection.gate], references: [channelGate.address] }),
}));

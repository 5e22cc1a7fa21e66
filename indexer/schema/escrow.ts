import { index, onchainTable, primaryKey, relations } from "ponder";
import { node } from "./inference.ts";
import { rowBlock } from "./rowBlock.ts";

/** Tables of payments that wait for a result. Amounts are in smallest units of their token. */

/** A payment that was opened, and how it ended. */
export const escrowJob = onchainTable(
  "escrow_job",
  (t) => ({
    /** hash of payer and nonce */
    id: t.hex().primaryKey(),
    /** whose result captures it */
    nodeAddress: t.hex().notNull(),
    payee: t.hex().notNull(),
    requestHash: t.hex().notNull(),
    token: t.hex().notNull(),
    /** hundredths of a percent of the price */
    feeBps: t.integer().notNull(),
    /** bits of the kinds of results that capture it, as the contract has them */
    kinds: t.integer().notNull(),
    /** seconds from opening to deadline */
    captureWindow: t.bigint().notNull(),
    payer: t.hex().notNull(),
    /** of the payer's permit */
    nonce: t.bigint().notNull(),
    /** all that the payer permitted, which is held while it is open */
    amount: t.bigint().notNull(),
    deadline: t.bigint().notNull(),
    /** null where there was none */
    feeReceiver: t.hex(),
    /** open after its deadline, too, until somebody gives the payer their tokens back */
    status: t.text().$type<"open" | "captured" | "refunded" | "cancelled">().notNull(),
    /** the result that captured it; null otherwise, as are the next two */
    requestId: t.hex(),
    /** of that result: what payee and receiver of the fee got together */
    price: t.bigint(),
    /** the fee's part of it */
    fee: t.bigint(),
    /** what the payer got back; null while it is open */
    returned: t.bigint(),
    openedAt: t.bigint().notNull(),
    /** who brought the permit */
    opener: t.hex().notNull(),
    transactionHash: t.hex().notNull(),
    endedAt: t.bigint(),
    /** who brought the result, or asked for the end */
    ender: t.hex(),
    endTransactionHash: t.hex(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    payerIndex: index().on(table.payer),
    payeeIndex: index().on(table.payee),
    nodeIndex: index().on(table.nodeAddress),
    requestIndex: index().on(table.requestHash),
    resultIndex: index().on(table.requestId),
    deadlineIndex: index().on(table.status, table.deadline),
  }),
);

/** What a failed transfer left an account in the escrow, which it may withdraw. */
export const escrowCredit = onchainTable(
  "escrow_credit",
  (t) => ({
    token: t.hex().notNull(),
    account: t.hex().notNull(),
    amount: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.token, table.account] }) }),
);

export const escrowCreditChange = onchainTable(
  "escrow_credit_change",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    token: t.hex().notNull(),
    account: t.hex().notNull(),
    kind: t.text().$type<"credited" | "withdrawn">().notNull(),
    amount: t.bigint().notNull(),
    /** who got it; null where it was credited */
    receiver: t.hex(),
    timestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    accountIndex: index().on(table.token, table.account),
  }),
);

/** A token that governance has allowed, or did once. */
export const escrowToken = onchainTable("escrow_token", (t) => ({
  token: t.hex().primaryKey(),
  isAllowed: t.boolean().notNull(),
  changedAt: t.bigint().notNull(),
  transactionHash: t.hex().notNull(),
  rowBlock: rowBlock(t),
}));

/** Every fee that governance has set: the newest one is that of jobs opened now. Without a row there is none. */
export const escrowFee = onchainTable(
  "escrow_fee",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    /** hundredths of a percent of the price */
    feeBps: t.integer().notNull(),
    receiver: t.hex(),
    timestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }) }),
);

export const escrowJobRelations = relations(escrowJob, ({ one }) => ({
  node: one(node, { fields: [escrowJob.nodeAddress], references: [node.address] }),
}));

export const escrowCreditRelations = relations(escrowCredit, ({ many }) => ({
  changes: many(escrowCreditChange),
}));

export const escrowCreditChangeRelations = relations(escrowCreditChange, ({ one }) => ({
  credit: one(escrowCredit, {
    fields: [escrowCreditChange.token, escrowCreditChange.account],
    references: [escrowCredit.token, escrowCredit.account],
  }),
}));

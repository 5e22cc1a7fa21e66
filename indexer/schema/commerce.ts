import { index, onchainTable, primaryKey, relations } from "ponder";
import { node } from "./inference.ts";
import { rowBlock } from "./rowBlock.ts";

/** Tables of payments in the public escrow of commerce payments. Amounts are in smallest units of a token. */

/** An operator, which never changes. */
export const commerceOperator = onchainTable(
  "commerce_operator",
  (t) => ({
    address: t.hex().primaryKey(),
    /** whose results capture */
    nodeAddress: t.hex().notNull(),
    payee: t.hex().notNull(),
    token: t.hex().notNull(),
    /** null where there is none */
    feeReceiver: t.hex(),
    /** hundredths of a percent of the price */
    feeBps: t.integer().notNull(),
    /** bits of the kinds of results that capture, as the contract has them */
    kinds: t.integer().notNull(),
    createdAt: t.bigint().notNull(),
    creator: t.hex().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    nodeIndex: index().on(table.nodeAddress),
    payeeIndex: index().on(table.payee),
  }),
);

/** A payment that was opened, with all that callers bring, and how it ended. */
export const commerceJob = onchainTable(
  "commerce_job",
  (t) => ({
    /** the payment's hash in the public escrow */
    id: t.hex().primaryKey(),
    operator: t.hex().notNull(),
    payer: t.hex().notNull(),
    requestHash: t.hex().notNull(),
    /** opens the salt together with the request hash */
    saltNonce: t.bigint().notNull(),
    salt: t.bigint().notNull(),
    /** all of the payment, which is held while it is open */
    amount: t.bigint().notNull(),
    preApprovalExpiry: t.bigint().notNull(),
    deadline: t.bigint().notNull(),
    refundExpiry: t.bigint().notNull(),
    minFeeBps: t.integer().notNull(),
    maxFeeBps: t.integer().notNull(),
    /** whom the payment names for a fee of the public escrow's, which is none; null for nobody */
    paymentFeeReceiver: t.hex(),
    /** open after its deadline, too, until somebody asks the operator for a refund: what its payer reclaims is told by the public
     * escrow alone, which is not indexed */
    status: t.text().$type<"open" | "captured" | "refunded" | "cancelled">().notNull(),
    /** the result that captured it; null otherwise, as are the next two */
    requestId: t.hex(),
    /** of that result: what payee and receiver of the fee got together */
    price: t.bigint(),
    /** the fee's part of it */
    fee: t.bigint(),
    /** what the payer got back; null while it is open */
    returned: t.bigint(),
    /** what a capture left and could not give back yet */
    kept: t.bigint().notNull(),
    openedAt: t.bigint().notNull(),
    /** who brought the payer's signature */
    opener: t.hex().notNull(),
    transactionHash: t.hex().notNull(),
    endedAt: t.bigint(),
    /** who brought the result, or asked for the end */
    ender: t.hex(),
    endTransactionHash: t.hex(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    operatorIndex: index().on(table.operator),
    payerIndex: index().on(table.payer),
    requestIndex: index().on(table.requestHash),
    resultIndex: index().on(table.requestId),
    deadlineIndex: index().on(table.status, table.deadline),
  }),
);

/** What a failed transfer left an account at an operator, which it may withdraw. */
export const commerceCredit = onchainTable(
  "commerce_credit",
  (t) => ({
    operator: t.hex().notNull(),
    token: t.hex().notNull(),
    account: t.hex().notNull(),
    amount: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.operator, table.token, table.account] }) }),
);

export const commerceOperatorRelations = relations(commerceOperator, ({ many, one }) => ({
  node: one(node, { fields: [commerceOperator.nodeAddress], references: [node.address] }),
  jobs: many(commerceJob),
}));

export const commerceJobRelations = relations(commerceJob, ({ one }) => ({
  operatorRow: one(commerceOperator, {
    fields: [commerceJob.operator],
    references: [commerceOperator.address],
  }),
}));

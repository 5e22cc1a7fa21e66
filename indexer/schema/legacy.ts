import { index, onchainTable, primaryKey, relations } from "ponder";
import { teeNode } from "./attestation.ts";
import { rowBlock } from "./rowBlock.ts";

/** Tables of what the public network's tools record. None of it is a settlement of a request. */

/**
 * A Merkle root that somebody anchored. Nobody has looked at its leaves: how many there are, where, and that there are
 * any, is what the sender says.
 */
export const anchoredRoot = onchainTable(
  "anchored_root",
  (t) => ({
    root: t.hex().notNull(),
    /** the account that called the contract */
    sender: t.hex().notNull(),
    batchSize: t.bigint().notNull(),
    /** the bytes of the id's text */
    blobId: t.hex().notNull(),
    /** there is no other: nothing makes it more */
    state: t.text().$type<"anchored">().notNull(),
    anchoredAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    blockNumber: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.root, table.sender, table.batchSize, table.blobId] }),
    senderIndex: index().on(table.sender),
  }),
);

/**
 * An answer whose signature the contract has checked. Signed are `inputHash`, `outputHash` and `timestamp`, by `teeId`;
 * `ethAddress` and `blobId` are what the settler says.
 */
export const individualSettlement = onchainTable(
  "individual_settlement",
  (t) => ({
    teeId: t.hex().notNull(),
    /** what the enclave signed: keccak256(inputHash | outputHash | timestamp) */
    messageHash: t.hex().notNull(),
    inputHash: t.hex().notNull(),
    outputHash: t.hex().notNull(),
    /** when the enclave says that it answered */
    timestamp: t.bigint().notNull(),
    signature: t.hex().notNull(),
    ethAddress: t.hex().notNull(),
    /** the bytes of the id's text */
    blobId: t.hex().notNull(),
    /** the account that sent the transaction */
    settler: t.hex().notNull(),
    blockTimestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    blockNumber: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.teeId, table.messageHash] }),
    ethAddressIndex: index().on(table.ethAddress),
  }),
);

export const individualSettlementRelations = relations(individualSettlement, ({ one }) => ({
  node: one(teeNode, { fields: [individualSettlement.teeId], references: [teeNode.id] }),
}));

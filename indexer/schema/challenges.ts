import { index, onchainTable, primaryKey, relations } from "ponder";
import { page } from "./pages.ts";
import { rowBlock } from "./rowBlock.ts";

/** Tables of who vouched for pages and who spoke up against them. */

/** Who says that a quorum vouched for a page: a number each time that governance names somebody. */
export const pageAttester = onchainTable("page_attester", (t) => ({
  /** as `PageRecord.attesterNumber` has it, from 1 on */
  number: t.integer().primaryKey(),
  /** null: nobody */
  account: t.hex(),
  since: t.bigint().notNull(),
  transactionHash: t.hex().notNull(),
  rowBlock: rowBlock(t),
}));

/** A quorum vouched for a page. */
export const pageAttestation = onchainTable(
  "page_attestation",
  (t) => ({
    pageId: t.hex().primaryKey(),
    attesterNumber: t.integer().notNull(),
    attester: t.hex().notNull(),
    /** as the attester numbers them; of the staking contract: bit i is member i of the epoch's snapshot */
    signers: t.integer().notNull(),
    signerCount: t.integer().notNull(),
    epoch: t.bigint().notNull(),
    attestedAt: t.bigint().notNull(),
    /** sender of the transaction */
    sender: t.hex().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ epochIndex: index().on(table.epoch) }),
);

/** A signer of a page that the staking contract vouched for. */
export const pageSigner = onchainTable(
  "page_signer",
  (t) => ({
    pageId: t.hex().notNull(),
    /** place in the epoch's snapshot */
    index: t.integer().notNull(),
    validator: t.hex().notNull(),
    key: t.hex().notNull(),
    /** weight in that epoch: smallest units of OPG */
    stake: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.pageId, table.index] }),
    validatorIndex: index().on(table.validator),
  }),
);

/** Somebody committed to a challenge. What it was of shows when it is made, in that transaction's calldata. */
export const challengeCommitment = onchainTable("challenge_commitment", (t) => ({
  commitment: t.hex().primaryKey(),
  /** sender of the transaction */
  sender: t.hex().notNull(),
  committedAt: t.bigint().notNull(),
  blockNumber: t.bigint().notNull(),
  transactionHash: t.hex().notNull(),
  rowBlock: rowBlock(t),
}));

/** A page was shown to be wrong, by a challenge or because a leaf was withheld: once each. */
export const pageChallenge = onchainTable(
  "page_challenge",
  (t) => ({
    pageId: t.hex().primaryKey(),
    challenger: t.hex().notNull(),
    reason: t.text().notNull(),
    outcome: t.text().$type<"rejected" | "disproved">().notNull(),
    /** smallest units of OPG for the challenger; as much, or one more, is to be burned */
    reward: t.bigint().notNull(),
    endedAt: t.bigint().notNull(),
    /** sender of the transaction: anybody may bring another one's challenge */
    sender: t.hex().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ challengerIndex: index().on(table.challenger) }),
);

/** What was forfeited and is nobody's was burned. */
export const forfeitBurn = onchainTable(
  "forfeit_burn",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    amount: t.bigint().notNull(),
    sender: t.hex().notNull(),
    burnedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }) }),
);

export const pageAttestationRelations = relations(pageAttestation, ({ one, many }) => ({
  page: one(page, { fields: [pageAttestation.pageId], references: [page.id] }),
  members: many(pageSigner),
}));

export const pageSignerRelations = relations(pageSigner, ({ one }) => ({
  attestation: one(pageAttestation, {
    fields: [pageSigner.pageId],
    references: [pageAttestation.pageId],
  }),
}));

export const pageChallengeRelations = relations(pageChallenge, ({ one }) => ({
  page: one(page, { fields: [pageChallenge.pageId], references: [page.id] }),
}));

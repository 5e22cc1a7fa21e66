import { index, onchainTable, primaryKey, relations } from "ponder";
import { teeNode } from "./attestation.ts";
import { model, modelVersion, node, settlement } from "./inference.ts";
import { rowBlock } from "./rowBlock.ts";

/** Tables of pages of results. What state a page is in depends on the clock, so no column says it: see docs/indexer.md. */

/** A page that was proposed. */
export const page = onchainTable(
  "page",
  (t) => ({
    id: t.hex().primaryKey(),
    /** number of the ledger page: node and 256 nonces of it */
    ledgerPage: t.bigint().notNull(),
    /** the enclave's address form, in the upper part of that number */
    nodeAddress: t.hex().notNull(),
    /** the rest of it: its nonces are `256 * number` and the 255 behind */
    number: t.bigint().notNull(),
    teeId: t.hex().notNull(),
    kind: t.text().$type<"tee" | "optimistic">().notNull(),
    /** who answers for it with a deposit */
    proposer: t.hex().notNull(),
    /** the requests that it took: bit i is nonce `256 * number + i` */
    bitmap: t.bigint().notNull(),
    resultCount: t.integer().notNull(),
    root: t.hex().notNull(),
    blobId: t.hex().notNull(),
    /** smallest units of OPG for whoever attests it */
    fee: t.bigint().notNull(),
    proposedAt: t.bigint().notNull(),
    /** last second in which it is pending, if no leaf that was asked for is waited for */
    end: t.bigint().notNull(),
    attestedAt: t.bigint(),
    /** requests for leaves that wait for an answer: while there are any, it does not become final */
    openRequests: t.integer().notNull(),
    /** end that the first request for a leaf brought; null if there was none */
    extendedUntil: t.bigint(),
    /** proofs that are demanded and were not given: while there are any, its clock stands */
    openDemands: t.integer().notNull(),
    /** when its clock stopped last; null if it never did */
    stoppedAt: t.bigint(),
    /** leaves whose proof was given on demand: they are settled alone, and not of the page any more */
    proved: t.bigint().notNull(),
    /** `released`: nothing can be shown against it any more, and its bond is free */
    outcome: t.text().$type<"open" | "released" | "rejected" | "disproved">().notNull(),
    /** what was shown to be wrong; null if nothing was */
    reason: t.text(),
    /** when it was rejected or disproved */
    endedAt: t.bigint(),
    challenger: t.hex(),
    /** smallest units of OPG for the challenger */
    reward: t.bigint(),
    releasedAt: t.bigint(),
    /**
     * `read`: its results have rows. `missing`: the store does not have it or does not answer, and is asked again. `wrong`:
     * what the store answers is not what the root says. `unread`: there is no store to ask
     */
    blob: t.text().$type<"read" | "missing" | "wrong" | "unread">().notNull(),
    /** code of what went wrong with the blob; null if nothing did */
    blobError: t.text(),
    /** sender of the proposing transaction */
    sender: t.hex().notNull(),
    transactionHash: t.hex().notNull(),
    gasUsed: t.bigint().notNull(),
    blockNumber: t.bigint().notNull(),
    blockHash: t.hex().notNull(),
    logIndex: t.integer().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    ledgerIndex: index().on(table.ledgerPage),
    nodeIndex: index().on(table.nodeAddress, table.number),
    proposerIndex: index().on(table.proposer, table.outcome),
    placeIndex: index().on(table.blockNumber, table.logIndex),
    blobIndex: index().on(table.blob),
  }),
);

/** The latest demand for the proof of a leaf. One that is open in a page that was refuted is over: its deposit goes back. */
export const pageDemand = onchainTable(
  "page_demand",
  (t) => ({
    pageId: t.hex().notNull(),
    /** place of the leaf in the page */
    index: t.integer().notNull(),
    demander: t.hex().notNull(),
    state: t.text().$type<"open" | "proved" | "returned">().notNull(),
    demandedAt: t.bigint().notNull(),
    /** last second for the proof */
    deadline: t.bigint().notNull(),
    /** smallest units of OPG for the proposer, if it is given */
    deposit: t.bigint().notNull(),
    /** when the proof was given, or the deposit returned */
    closedAt: t.bigint(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.pageId, table.index] }),
    demanderIndex: index().on(table.demander),
  }),
);

/** What an account has in the contract of pages: a proposer's deposit, rewards. Read from the contract. */
export const pageAccount = onchainTable("page_account", (t) => ({
  address: t.hex().primaryKey(),
  /** smallest units of OPG; null only in a block that is being discarded */
  amount: t.bigint(),
  /** pages that it answers for; nothing can be withdrawn meanwhile */
  openPages: t.bigint(),
  changedAt: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

/** OPG that went in or out of an account. */
export const pageDeposit = onchainTable(
  "page_deposit",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    kind: t.text().$type<"deposited" | "withdrawn">().notNull(),
    account: t.hex().notNull(),
    /** who got what was withdrawn */
    receiver: t.hex(),
    amount: t.bigint().notNull(),
    timestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    accountIndex: index().on(table.account),
  }),
);

/** The latest request for a leaf. One that is open in a page that was refuted is over: its deposit goes back. */
export const leafRequest = onchainTable(
  "leaf_request",
  (t) => ({
    pageId: t.hex().notNull(),
    /** place of the leaf in the page */
    index: t.integer().notNull(),
    requester: t.hex().notNull(),
    state: t.text().$type<"open" | "answered" | "returned">().notNull(),
    requestedAt: t.bigint().notNull(),
    /** last second for an answer */
    deadline: t.bigint().notNull(),
    /** smallest units of OPG for whoever answers */
    deposit: t.bigint().notNull(),
    answerer: t.hex(),
    /** when it was answered, or its deposit returned */
    closedAt: t.bigint(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.pageId, table.index] }) }),
);

export type PageParameterName =
  | "longRoad"
  | "shortRoad"
  | "resultWindow"
  | "minimumDeposit"
  | "proposalsPausedUntil";

/** Roads and windows in seconds, deposits in smallest units of OPG; they hold for pages that are proposed from then on. */
export const pageParameter = onchainTable("page_parameter", (t) => ({
  name: t.text().$type<PageParameterName>().primaryKey(),
  value: t.bigint().notNull(),
  changedAt: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

export const pageRelations = relations(page, ({ one, many }) => ({
  enclave: one(teeNode, { fields: [page.teeId], references: [teeNode.id] }),
  account: one(pageAccount, { fields: [page.proposer], references: [pageAccount.address] }),
  settlements: many(settlement),
  leafRequests: many(leafRequest),
  demands: many(pageDemand),
}));

export const pageDemandRelations = relations(pageDemand, ({ one }) => ({
  page: one(page, { fields: [pageDemand.pageId], references: [page.id] }),
}));

export const leafRequestRelations = relations(leafRequest, ({ one }) => ({
  page: one(page, { fields: [leafRequest.pageId], references: [page.id] }),
}));

/** Here, because one of them leads to a page. */
export const settlementRelations = relations(settlement, ({ one }) => ({
  model: one(model, { fields: [settlement.modelId], references: [model.id] }),
  version: one(modelVersion, { fields: [settlement.versionId], references: [modelVersion.id] }),
  page: one(page, { fields: [settlement.pageId], references: [page.id] }),
  node: one(node, { fields: [settlement.nodeAddress], references: [node.address] }),
}));

import type { TensorLayout } from "@haca/protocol/packedWords";
import type { RegisteredInputMode } from "@haca/protocol/registeredInputMode";
import { index, onchainTable, primaryKey, relations } from "ponder";
import { rowBlock } from "./rowBlock.ts";

/** Tables of models, versions and settlements. */

/** A model: an owner and a slug. */
export const model = onchainTable(
  "model",
  (t) => ({
    /** keccak256(abi.encode(owner, slug)) */
    id: t.hex().primaryKey(),
    owner: t.hex().notNull(),
    slug: t.text().notNull(),
    createdAt: t.bigint().notNull(),
    versionCount: t.integer().notNull(),
    settledCount: t.integer().notNull(),
    /** settlements whose proof or attestation the chain checked: never Vanilla */
    verifiedCount: t.integer().notNull(),
    /** results in pages that were not rejected, whose blob was read; in neither of the other numbers */
    pagedCount: t.integer().notNull(),
    transactionHash: t.hex().notNull(),
    blockNumber: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    slugIndex: index().on(table.slug),
    ownerIndex: index().on(table.owner),
  }),
);

/** A published version of a model. Only `status`, `deprecatedAt` and `admittedAt` ever change, and the counters. */
export const modelVersion = onchainTable(
  "model_version",
  (t) => ({
    /** keccak256(abi.encode(modelId, major, minor)) */
    id: t.hex().primaryKey(),
    modelId: t.hex().notNull(),
    // uint32: wider than an integer of Postgres or GraphQL
    major: t.bigint().notNull(),
    minor: t.bigint().notNull(),
    status: t.text().$type<"published" | "deprecated">().notNull(),
    publishedAt: t.bigint().notNull(),
    deprecatedAt: t.bigint(),
    /** when it was opened to optimistic pages; null if it was not */
    admittedAt: t.bigint(),
    /** SHA-256 of the ONNX file, or of the manifest of a version without a circuit */
    modelHash: t.hex().notNull(),
    blobId: t.hex().notNull(),
    /** SHA-256 of the r1cs file; null for a version without a circuit, of which nothing can be proved */
    circuitHash: t.hex(),
    /** BLAKE2b-512 with which the key's transcript begins, and SHA-256 of the transcript; null where nothing is told */
    csHash: t.hex(),
    transcriptHash: t.hex(),
    verifyingKeyHash: t.hex(),
    /** what the input words are: packed tensors, or a commitment to them; null without a circuit */
    inputMode: t.text().$type<RegisteredInputMode>(),
    inputLayout: t.jsonb().$type<TensorLayout[]>().notNull(),
    outputLayout: t.jsonb().$type<TensorLayout[]>().notNull(),
    /** number of words; a committed input has one */
    inputWords: t.integer().notNull(),
    outputWords: t.integer().notNull(),
    settledCount: t.integer().notNull(),
    verifiedCount: t.integer().notNull(),
    pagedCount: t.integer().notNull(),
    transactionHash: t.hex().notNull(),
    blockNumber: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    modelIndex: index().on(table.modelId),
  }),
);

/** An inference node: the account in the upper 160 bits of a request id. */
export const node = onchainTable("node", (t) => ({
  address: t.hex().primaryKey(),
  settledCount: t.integer().notNull(),
  verifiedCount: t.integer().notNull(),
  pagedCount: t.integer().notNull(),
  /** block times of its first and its latest settlement */
  firstSeenAt: t.bigint().notNull(),
  lastSeenAt: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

/**
 * One settled request, one that was recorded as Vanilla, or one that a page took; beside the Vanilla one a request has one
 * row at most. Rows of a page are there while it is not rejected.
 */
export const settlement = onchainTable(
  "settlement",
  (t) => ({
    requestId: t.hex().notNull(),
    nodeAddress: t.hex().notNull(),
    nonce: t.bigint().notNull(),
    verification: t.text().$type<"vanilla" | "zkml" | "tee" | "optimistic">().notNull(),
    /** whether its proof was checked together with others */
    batched: t.boolean().notNull(),
    /** whether the chain checked a proof or an attestation; false for Vanilla and in a page, always */
    verified: t.boolean().notNull(),
    /** `recorded`: Vanilla, which is no verification; `paged`: its state is the page's, and depends on the clock */
    state: t.text().$type<"settled" | "recorded" | "paged">().notNull(),
    /** the page that took it; null if it was settled alone or in a batch of proofs */
    pageId: t.hex(),
    /** the enclave's, of a result in a page; null where the chain checked what there was to check */
    signature: t.hex(),
    versionId: t.hex().notNull(),
    /** null only if the version was published in another registry */
    modelId: t.hex(),
    requester: t.hex().notNull(),
    inputHash: t.hex().notNull(),
    outputHash: t.hex().notNull(),
    /** packed input words, then packed output words, as decimal strings; empty where the chain has only their hashes */
    words: t.jsonb().$type<string[]>().notNull(),
    /**
     * integers of each tensor as decimal strings; null if the words do not fit the version's layout, and inputs also under a
     * commitment
     */
    inputs: t.jsonb().$type<string[][]>(),
    outputs: t.jsonb().$type<string[][]>(),
    /** the class index: see `labelOf` for when there is one */
    label: t.integer(),
    price: t.bigint().notNull(),
    /** when the node answered; `blockTimestamp` is when it settled */
    timestamp: t.bigint().notNull(),
    teeId: t.hex().notNull(),
    /** sender of the settling transaction */
    settler: t.hex().notNull(),
    transactionHash: t.hex().notNull(),
    /** of the whole transaction, however many results it settled */
    gasUsed: t.bigint().notNull(),
    blockNumber: t.bigint().notNull(),
    blockHash: t.hex().notNull(),
    blockTimestamp: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    key: primaryKey({ columns: [table.requestId, table.verification] }),
    pageIndex: index().on(table.pageId),
    nodeIndex: index().on(table.nodeAddress, table.nonce),
    requesterIndex: index().on(table.requester),
    modelIndex: index().on(table.modelId, table.blockNumber),
    versionIndex: index().on(table.versionId, table.blockNumber),
    blockIndex: index().on(table.blockNumber, table.logIndex),
    transactionIndex: index().on(table.transactionHash),
  }),
);

/** A contract that was ever let hold requests in the ledger. What it held stays taken when it may no more. */
export const ledgerWriter = onchainTable("ledger_writer", (t) => ({
  address: t.hex().primaryKey(),
  isAllowed: t.boolean().notNull(),
  changedAt: t.bigint().notNull(),
  transactionHash: t.hex().notNull(),
  rowBlock: rowBlock(t),
}));

export const modelRelations = relations(model, ({ many }) => ({
  versions: many(modelVersion),
  settlements: many(settlement),
}));

export const modelVersionRelations = relations(modelVersion, ({ one, many }) => ({
  model: one(model, { fields: [modelVersion.modelId], references: [model.id] }),
  settlements: many(settlement),
}));

export const nodeRelations = relations(node, ({ many }) => ({
  settlements: many(settlement),
}));

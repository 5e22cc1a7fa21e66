import type { NodeStatus } from "@haca/protocol/attestationParameters";
import { index, onchainTable, primaryKey, relations } from "ponder";
import { rowBlock } from "./rowBlock.ts";

/** Tables of the TEE registry and the certificate store. Rows say what the contracts say: see docs/indexer.md. */

export const teeType = onchainTable("tee_type", (t) => ({
  id: t.integer().primaryKey(),
  name: t.text().notNull(),
  addedAt: t.bigint().notNull(),
  nodeCount: t.integer().notNull(),
  rowBlock: rowBlock(t),
}));

/** One approval of an image for one node type and verifier. A revoked image that is approved again has a new generation. */
export const teeImage = onchainTable(
  "tee_image",
  (t) => ({
    /** keccak256(PCR0 | PCR1 | PCR2) */
    measurement: t.hex().notNull(),
    teeType: t.integer().notNull(),
    verifierId: t.integer().notNull(),
    /** counts from 1; uint32 */
    generation: t.bigint().notNull(),
    version: t.text().notNull(),
    /** zero if approved without a source */
    commit: t.hex().notNull(),
    repository: t.text().notNull(),
    approvedAt: t.bigint().notNull(),
    revokedAt: t.bigint(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({
      columns: [table.measurement, table.teeType, table.verifierId, table.generation],
    }),
  }),
);

/** A revocation of an image, approved or not: it also makes every approval void that waited then. */
export const teeImageRevocation = onchainTable(
  "tee_image_revocation",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    measurement: t.hex().notNull(),
    teeType: t.integer().notNull(),
    verifierId: t.integer().notNull(),
    /** the latest; 0 if the image never was approved */
    generation: t.bigint().notNull(),
    /** what an approval from then on has to name, 16 bytes */
    revocation: t.hex().notNull(),
    revokedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }) }),
);

/** An enclave. What is attested is that of its latest attestation. */
export const teeNode = onchainTable(
  "tee_node",
  (t) => ({
    /** keccak256 of the signing key */
    id: t.hex().primaryKey(),
    teeType: t.integer().notNull(),
    /** place in the registry's list of its type, from 0 */
    number: t.integer().notNull(),
    owner: t.hex().notNull(),
    status: t.text().$type<Exclude<NodeStatus, "unknown">>().notNull(),
    keyKind: t.text().$type<"rsa" | "p256" | "secp256k1">().notNull(),
    /** SubjectPublicKeyInfo, DER; null only in a block that is being discarded */
    publicKey: t.hex(),
    registeredAt: t.bigint().notNull(),
    paymentAddress: t.hex().notNull(),
    endpoint: t.text().notNull(),
    /** SHA-256 of the DER */
    tlsCertificateHash: t.hex().notNull(),
    measurement: t.hex().notNull(),
    imageGeneration: t.bigint().notNull(),
    /** id of the certificate that signed the evidence */
    signerCertificate: t.hex().notNull(),
    verifierId: t.integer().notNull(),
    /** which of the verifiers set under that id took the evidence; uint32 */
    verifierGeneration: t.bigint().notNull(),
    /** when the evidence was made, as the enclave says */
    attestedAt: t.bigint().notNull(),
    /** signed time of the latest heartbeat, an attestation included */
    lastHeartbeatAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    blockNumber: t.bigint().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    typeIndex: index().on(table.teeType, table.number),
    ownerIndex: index().on(table.owner),
    imageIndex: index().on(
      table.measurement,
      table.teeType,
      table.verifierId,
      table.imageGeneration,
    ),
  }),
);

/** Every evidence that was accepted. */
export const teeAttestation = onchainTable(
  "tee_attestation",
  (t) => ({
    teeId: t.hex().notNull(),
    attestedAt: t.bigint().notNull(),
    measurement: t.hex().notNull(),
    imageGeneration: t.bigint().notNull(),
    verifierId: t.integer().notNull(),
    verifierGeneration: t.bigint().notNull(),
    signerCertificate: t.hex().notNull(),
    paymentAddress: t.hex().notNull(),
    endpoint: t.text().notNull(),
    tlsCertificateHash: t.hex().notNull(),
    blockTimestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.teeId, table.attestedAt] }) }),
);

/** Heartbeats other than attestations. */
export const teeHeartbeat = onchainTable(
  "tee_heartbeat",
  (t) => ({
    teeId: t.hex().notNull(),
    /** as signed */
    timestamp: t.bigint().notNull(),
    blockTimestamp: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.teeId, table.timestamp] }) }),
);

/** Changes of a node's status, its admission included. */
export const teeStatusChange = onchainTable(
  "tee_status_change",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    teeId: t.hex().notNull(),
    previous: t.text().$type<NodeStatus>().notNull(),
    current: t.text().$type<NodeStatus>().notNull(),
    changedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }),
    nodeIndex: index().on(table.teeId),
  }),
);

/** A session key's validity, `[from, until)`; `until` moves back when the operator ends it. */
export const teeSessionKey = onchainTable(
  "tee_session_key",
  (t) => ({
    teeId: t.hex().notNull(),
    key: t.hex().notNull(),
    /** whether it signs results, and not heartbeats alone */
    signsResults: t.boolean().notNull(),
    from: t.bigint().notNull(),
    until: t.bigint().notNull(),
    /** when the operator ended it; null if they did not */
    endedAt: t.bigint(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({
    pk: primaryKey({ columns: [table.teeId, table.key] }),
    keyIndex: index().on(table.key),
  }),
);

/** A node's latest OHTTP key. The columns that are not in the event are null only in a block that is being discarded. */
export const teeOhttpConfig = onchainTable("tee_ohttp_config", (t) => ({
  teeId: t.hex().primaryKey(),
  keyId: t.integer().notNull(),
  kemId: t.integer(),
  kdfId: t.integer(),
  aeadId: t.integer(),
  publicKey: t.hex().notNull(),
  keyConfig: t.hex(),
  registeredAt: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

/** Operators that ever were denied. */
export const teeOperator = onchainTable("tee_operator", (t) => ({
  address: t.hex().primaryKey(),
  isDenied: t.boolean().notNull(),
  changedAt: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

/** Which contract judges evidence now. */
export const teeVerifier = onchainTable("tee_verifier", (t) => ({
  id: t.integer().primaryKey(),
  /** how many were set under this id; nodes of an earlier one are inactive */
  generation: t.bigint().notNull(),
  /** zero if removed */
  address: t.hex().notNull(),
  /** the certificate store that it asks; null if it names none */
  certificateStore: t.hex(),
  changedAt: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

/** What an operator left for a node. A node is admitted once, so that it has one at most. */
export const nodeBond = onchainTable(
  "node_bond",
  (t) => ({
    teeId: t.hex().primaryKey(),
    /** who left it, and gets it back */
    owner: t.hex().notNull(),
    /** smallest units of OPG; stays when the bond has gone */
    amount: t.bigint().notNull(),
    state: t.text().$type<"locked" | "released" | "forfeited">().notNull(),
    lockedAt: t.bigint().notNull(),
    /** when it was paid back or taken; null while it is held */
    endedAt: t.bigint(),
    /** who got it; null while it is held */
    receiver: t.hex(),
    /** of the locking, the node's admission */
    transactionHash: t.hex().notNull(),
    endTransactionHash: t.hex(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ ownerIndex: index().on(table.owner, table.state) }),
);

/**
 * `heartbeatMaxAge` and `attestationMaxAge` in seconds, `admissionPausedUntil` in unix seconds; `bondAmount`, which a new
 * node has to leave, in smallest units of OPG.
 */
export const teeParameter = onchainTable("tee_parameter", (t) => ({
  name: t.text().$type<TeeParameterName>().primaryKey(),
  value: t.bigint().notNull(),
  changedAt: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

export const teeParameterChange = onchainTable(
  "tee_parameter_change",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    name: t.text().$type<TeeParameterName>().notNull(),
    previous: t.bigint().notNull(),
    current: t.bigint().notNull(),
    changedAt: t.bigint().notNull(),
    transactionHash: t.hex().notNull(),
    rowBlock: rowBlock(t),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }) }),
);

/** A verified certificate. */
export const certificate = onchainTable("certificate", (t) => ({
  /** keccak256(abi.encode(parentId, keccak256(TBS))) */
  id: t.hex().primaryKey(),
  /** zero for the root */
  parentId: t.hex().notNull(),
  /**
   * revocation keys of its path below the root, its own two first, the certificate's and its public key's: one of them
   * revoked, and it is not trusted. The root has none
   */
  revocationPath: t.jsonb().$type<`0x${string}`[]>().notNull(),
  /** latest of its path */
  notBefore: t.bigint().notNull(),
  /** earliest of its path */
  notAfter: t.bigint().notNull(),
  storedAt: t.bigint().notNull(),
  rowBlock: rowBlock(t),
}));

/** What the guardian has revoked: a certificate, a public key with all its certificates, or what was never seen. */
export const certificateRevocation = onchainTable("certificate_revocation", (t) => ({
  /** keccak256(abi.encode(keccak256(issuer), serial)), or of a public key keccak256(x | y) */
  revocationKey: t.hex().primaryKey(),
  kind: t.text().$type<"certificate" | "key" | "unseen">().notNull(),
  /** certificate by which it was named; null if it was never seen */
  certificateId: t.hex(),
  /** DER of the issuer's name, and the serial, of what was never seen; null otherwise */
  issuer: t.hex(),
  serial: t.bigint(),
  revokedAt: t.bigint().notNull(),
  transactionHash: t.hex().notNull(),
  rowBlock: rowBlock(t),
}));

export type TeeParameterName =
  | "heartbeatMaxAge"
  | "attestationMaxAge"
  | "admissionPausedUntil"
  | "bondAmount";

export const teeTypeRelations = relations(teeType, ({ many }) => ({
  nodes: many(teeNode),
  images: many(teeImage),
}));

export const teeImageRelations = relations(teeImage, ({ one, many }) => ({
  type: one(teeType, { fields: [teeImage.teeType], references: [teeType.id] }),
  nodes: many(teeNode),
}));

export const teeNodeRelations = relations(teeNode, ({ one, many }) => ({
  type: one(teeType, { fields: [teeNode.teeType], references: [teeType.id] }),
  image: one(teeImage, {
    fields: [teeNode.measurement, teeNode.teeType, teeNode.verifierId, teeNode.imageGeneration],
    references: [teeImage.measurement, teeImage.teeType, teeImage.verifierId, teeImage.generation],
  }),
  certificate: one(certificate, {
    fields: [teeNode.signerCertificate],
    references: [certificate.id],
  }),
  ohttpConfig: one(teeOhttpConfig, { fields: [teeNode.id], references: [teeOhttpConfig.teeId] }),
  bond: one(nodeBond, { fields: [teeNode.id], references: [nodeBond.teeId] }),
  attestations: many(teeAttestation),
  heartbeats: many(teeHeartbeat),
  sessionKeys: many(teeSessionKey),
  statusChanges: many(teeStatusChange),
}));

export const teeAttestationRelations = relations(teeAttestation, ({ one }) => ({
  node: one(teeNode, { fields: [teeAttestation.teeId], references: [teeNode.id] }),
}));

export const teeHeartbeatRelations = relations(teeHeartbeat, ({ one }) => ({
  node: one(teeNode, { fields: [teeHeartbeat.teeId], references: [teeNode.id] }),
}));

export const teeSessionKeyRelations = relations(teeSessionKey, ({ one }) => ({
  node: one(teeNode, { fields: [teeSessionKey.teeId], references: [teeNode.id] }),
}));

export const teeStatusChangeRelations = relations(teeStatusChange, ({ one }) => ({
  node: one(teeNode, { fields: [teeStatusChange.teeId], references: [teeNode.id] }),
}));

export const nodeBondRelations = relations(nodeBond, ({ one }) => ({
  node: one(teeNode, { fields: [nodeBond.teeId], references: [teeNode.id] }),
}));

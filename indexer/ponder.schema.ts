/**
 * Tables, in the words of docs/glossary.md. Times are unix seconds, hashes lower-case hex, `bigint` columns
 * are numeric(78) in SQL and decimal strings in GraphQL. Every row follows from the events, and for the columns
 * that docs/indexer.md names from the contract's state in the event's block.
 */
// biome-ignore-start lint/performance/noBarrelFile: Ponder reads its tables from this one module
export * from "./schema/access.ts";
export * from "./schema/attestation.ts";
export * from "./schema/challenges.ts";
export * from "./schema/channels.ts";
export * from "./schema/commerce.ts";
export * from "./schema/escrow.ts";
export * from "./schema/feeds.ts";
export * from "./schema/governance.ts";
export * from "./schema/inference.ts";
export * from "./schema/legacy.ts";
export * from "./schema/pages.ts";
export * from "./schema/staking.ts";
export * from "./schema/token.ts";
// biome-ignore-end lint/performance/noBarrelFile: see above

import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AddressBook } from "@haca/protocol/addressBook";

const ROOT = join(import.meta.dirname, "..", "..");

/** Everything that decides what ends up in the tables. */
const SOURCES = [
  "indexer/ponder.config.ts",
  "indexer/ponder.schema.ts",
  "indexer/schema/*.ts",
  "indexer/src/**/*.ts",
  "protocol/src/*.ts",
  "protocol/src/blobs/*.ts",
  "protocol/generated/abi.ts",
];

/**
 * Name of the database schema that holds the tables of one history read by one state of the code:
 * `haca_<chainId>_<16 hex digits>`. Tables of another deployment, of an earlier local chain or of earlier
 * code are never continued: a change of any of them leads to a new name and a fresh reading of the events.
 */
export function databaseSchemaName(parameters: {
  book: AddressBook;
  creationBlock: string;
}): string {
  const { book, creationBlock } = parameters;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([creationBlock, book.contracts]));
  for (const file of globSync(SOURCES, { cwd: ROOT }).sort()) {
    hash.update(`\n${file}\n`);
    hash.update(readFileSync(join(ROOT, file)));
  }
  return `haca_${book.chainId}_${hash.digest("hex").slice(0, 16)}`;
}

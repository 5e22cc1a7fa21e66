import { decodeSnapshot, hashSnapshot, type Snapshot } from "@haca/protocol/validatorStaking";
import type { Database, Queryable } from "../storage/database.ts";

/** A set that was frozen, and its words as the contract takes them. */
export type FrozenSet = Snapshot & {
  epoch: bigint;
  words: bigint[];
  /** as the contract keeps it, the first 31 bytes */
  hash: string;
};

const INSERT = `INSERT INTO snapshots (epoch, block_number, words) VALUES ($1, $2, $3)
ON CONFLICT (epoch) DO UPDATE SET block_number = excluded.block_number, words = excluded.words`;

export async function insertSnapshot(
  tx: Queryable,
  { block, epoch, words }: { epoch: bigint; block: number; words: readonly bigint[] },
): Promise<void> {
  await tx.query(INSERT, [String(epoch), block, words.map(String)]);
}

/** The set of an epoch, as its event told. */
export async function findSnapshot(parameters: {
  database: Database;
  epoch: bigint;
}): Promise<FrozenSet | undefined> {
  const { database, epoch } = parameters;
  const sql = "SELECT words FROM snapshots WHERE epoch = $1";
  const [row] = await database.query(sql, [String(epoch)]);
  if (row === undefined) return undefined;
  const words = (row.words as string[]).map(BigInt);
  return { ...decodeSnapshot(words), epoch, words, hash: hashSnapshot(words).slice(0, 64) };
}

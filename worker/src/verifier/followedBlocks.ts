import type { Database, Queryable } from "../storage/database.ts";

export type FollowedBlock = { number: number; hash: string };

/** As many are remembered: a reorganisation that goes behind all of them has everything read anew. */
const REMEMBERED = 256;

/** Blocks up to which events were read, the youngest first. */
export async function listFollowed(parameters: { database: Database }): Promise<FollowedBlock[]> {
  const sql = "SELECT number::text, hash FROM followed_blocks ORDER BY number DESC";
  const rows = await parameters.database.query(sql);
  return rows.map(({ hash, number }) => ({ number: Number(number), hash: hash as string }));
}

const RECORD = `INSERT INTO followed_blocks (number, hash) VALUES ($1, $2)
ON CONFLICT (number) DO UPDATE SET hash = excluded.hash`;
const PRUNE = `DELETE FROM followed_blocks WHERE number NOT IN (
  SELECT number FROM followed_blocks ORDER BY number DESC LIMIT $1
)`;

/** Events up to this block are recorded, in the same transaction. */
export async function recordFollowed(
  tx: Queryable,
  { hash, number }: FollowedBlock,
): Promise<void> {
  await tx.query(RECORD, [number, hash]);
  await tx.query(PRUNE, [REMEMBERED]);
}

/** Challenges and signatures stay: their page may come back. */
const FORGET = [
  "DELETE FROM followed_blocks WHERE number > $1",
  "DELETE FROM leaf_requests WHERE block_number > $1",
  "DELETE FROM snapshots WHERE block_number > $1",
];
const FORGET_PAGES = "DELETE FROM watched_pages WHERE block_number > $1 RETURNING page_id";
const OPEN_REQUESTS = "UPDATE leaf_requests SET ended_at = NULL";
/** What became of the others may have been in those blocks. */
const LOOK_AGAIN = `UPDATE watched_pages
SET look_after = now(), sign_after = now(), collect_after = now(), slash_after = now()
WHERE closed_at IS NULL`;

/** Forgets what was seen in blocks after one that a reorganisation took away. Returns how many pages went with them. */
export async function forgetAfter(parameters: {
  database: Database;
  number: number;
}): Promise<number> {
  const { database, number } = parameters;
  return await database.transaction(async (tx) => {
    const gone = await tx.query(FORGET_PAGES, [number]);
    for (const statement of FORGET) await tx.query(statement, [number]);
    for (const statement of [OPEN_REQUESTS, LOOK_AGAIN]) await tx.query(statement);
    return gone.length;
  });
}

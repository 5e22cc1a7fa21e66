import type { Database } from "../storage/database.ts";
import type { RecordedTransaction } from "./job.ts";

const LIST_ATTEMPTS = `SELECT hash, raw FROM transactions
WHERE nonce = $1 AND dropped_at IS NULL
ORDER BY replaced_at DESC NULLS FIRST`;

/** Every transaction that could be mined under a nonce of the account, the current one first. */
export async function listAttempts(parameters: {
  database: Database;
  nonce: number;
}): Promise<{ hash: string; raw: string }[]> {
  const rows = await parameters.database.query(LIST_ATTEMPTS, [parameters.nonce]);
  return rows.map(({ hash, raw }) => ({ hash: hash as string, raw: raw as string }));
}

const LIST_OPEN_ATTEMPTS = `SELECT
  t.hash, t.nonce::text, t.raw, t.purpose, t.request_id,
  extract(epoch FROM now() - t.signed_at)::integer AS age,
  extract(epoch FROM now() - t.broadcast_at)::integer AS silent,
  (
    SELECT count(*)::integer FROM transactions earlier
    WHERE earlier.nonce = t.nonce AND earlier.replaced_at IS NOT NULL AND earlier.dropped_at IS NULL
  ) AS replacements
FROM transactions t
WHERE t.dropped_at IS NULL AND t.replaced_at IS NULL AND t.block_number IS NULL
ORDER BY t.nonce
LIMIT $1`;
/** Enough to see what is stuck: everything behind the first waits for it. */
const MAXIMUM_SHOWN = 20;

export type OpenAttempt = {
  hash: string;
  nonce: number;
  raw: string;
  purpose: string;
  requestId: string | null;
  ageSeconds: number;
  silentSeconds: number | null;
  replacements: number;
};

/** The first transactions, of any purpose, that are not known to be mined, in order of their nonces. */
export async function listOpenAttempts(parameters: { database: Database }): Promise<OpenAttempt[]> {
  const rows = await parameters.database.query(LIST_OPEN_ATTEMPTS, [MAXIMUM_SHOWN]);
  return rows.map((row) => ({
    hash: row.hash as string,
    nonce: Number(row.nonce),
    raw: row.raw as string,
    purpose: row.purpose as string,
    requestId: row.request_id as string | null,
    ageSeconds: Number(row.age),
    silentSeconds: row.silent === null ? null : Number(row.silent),
    replacements: Number(row.replacements),
  }));
}

const LIST_OPEN_TRANSACTIONS = `SELECT hash, nonce::text, raw, purpose,
  (extract(epoch FROM now() - signed_at) * 1000)::double precision AS age_ms,
  (extract(epoch FROM now() - broadcast_at) * 1000)::double precision AS silent_ms
FROM transactions
WHERE request_id IS NULL AND dropped_at IS NULL AND replaced_at IS NULL AND block_number IS NULL
ORDER BY transactions.nonce`;

/** Current transactions that settle no job and are not known to be mined, in order of their nonces. */
export async function listOpenTransactions(parameters: {
  database: Database;
}): Promise<{ purpose: string; transaction: RecordedTransaction }[]> {
  const rows = await parameters.database.query(LIST_OPEN_TRANSACTIONS);
  return rows.map((row) => ({
    purpose: row.purpose as string,
    transaction: {
      hash: row.hash as string,
      nonce: Number(row.nonce),
      raw: row.raw as string,
      ageMs: Number(row.age_ms),
      silentMs: row.silent_ms === null ? null : Number(row.silent_ms),
      blockNumber: null,
      blockHash: null,
      gasUsed: null,
    },
  }));
}

const COUNT_OPEN = `SELECT
  count(*)::integer AS open,
  coalesce(extract(epoch FROM now() - min(signed_at)), 0)::double precision AS oldest
FROM transactions
WHERE dropped_at IS NULL AND replaced_at IS NULL AND block_number IS NULL`;

/** How many transactions are not known to be mined, and the age of the oldest attempt in seconds. */
export async function countOpen(parameters: {
  database: Database;
}): Promise<{ open: number; oldestSeconds: number }> {
  const [row] = await parameters.database.query(COUNT_OPEN);
  return { open: Number(row?.open), oldestSeconds: Number(row?.oldest) };
}

const FIND_GAP = `SELECT 1
FROM transactions
WHERE dropped_at IS NULL
  AND nonce > $1
  AND nonce = (
    SELECT min(nonce) FROM transactions
    WHERE dropped_at IS NULL AND replaced_at IS NULL AND block_number IS NULL
  )
GROUP BY nonce
HAVING min(signed_at) < now() - make_interval(secs => $2::double precision / 1000)
  AND bool_or(broadcast_at IS NOT NULL)`;

/**
 * Whether the first of the open transactions lies behind a nonce and has been on its way for a while. It counts from
 * its first attempt: being sent again and again, or replaced, brings it no further.
 */
export async function findGap(parameters: {
  database: Database;
  /** the account's next nonce on the chain */
  nonce: number;
  patienceMs: number;
}): Promise<boolean> {
  const { database, nonce, patienceMs } = parameters;
  return (await database.query(FIND_GAP, [nonce, patienceMs])).length > 0;
}

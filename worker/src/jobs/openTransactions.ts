import type { Database } from "../storage/database.ts";
import type { RecordedTransaction } from "./job.ts";

const LIST_ATTEMPTS = `SELECT a.hash, a.raw
FROM attempts a
JOIN transactions t ON t.id = a.transaction_id
WHERE t.nonce = $1 AND t.dropped_at IS NULL
ORDER BY a.replaced_at DESC NULLS FIRST`;

/** Every transaction that could be mined under a nonce of the account, the current one first. */
export async function listAttempts(parameters: {
  database: Database;
  nonce: number;
}): Promise<{ hash: string; raw: string }[]> {
  const rows = await parameters.database.query(LIST_ATTEMPTS, [parameters.nonce]);
  return rows.map(({ hash, raw }) => ({ hash: hash as string, raw: raw as string }));
}

/** The current attempts of transactions that are not known to be mined. */
const OPEN = `FROM transactions t
JOIN attempts a ON a.transaction_id = t.id AND a.replaced_at IS NULL AND a.block_number IS NULL
WHERE t.dropped_at IS NULL`;
const LIST_OPEN_ATTEMPTS = `SELECT
  a.hash, t.nonce::text, a.raw, t.purpose, t.kind, carried.jobs, carried.request_id,
  extract(epoch FROM now() - a.signed_at)::integer AS age,
  extract(epoch FROM now() - a.broadcast_at)::integer AS silent,
  (SELECT count(*)::integer - 1 FROM attempts earlier WHERE earlier.transaction_id = t.id) AS replacements
${OPEN.replace(
  "WHERE",
  `CROSS JOIN LATERAL (
  SELECT count(*)::integer AS jobs, min(request_id) AS request_id
  FROM transaction_jobs WHERE transaction_id = t.id
) carried
WHERE`,
)}
ORDER BY t.nonce
LIMIT $1`;
/** Enough to see what is stuck: everything behind the first waits for it. */
const MAXIMUM_SHOWN = 20;

export type OpenAttempt = {
  hash: string;
  nonce: number;
  raw: string;
  purpose: string;
  /** kind of settlement; null for another purpose */
  kind: string | null;
  /** how many jobs it carries */
  jobs: number;
  /** the job where it is one */
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
    kind: row.kind as string | null,
    jobs: Number(row.jobs),
    requestId: Number(row.jobs) === 1 ? (row.request_id as string) : null,
    ageSeconds: Number(row.age),
    silentSeconds: row.silent === null ? null : Number(row.silent),
    replacements: Number(row.replacements),
  }));
}

const LIST_OPEN_TRANSACTIONS = `SELECT a.hash, t.nonce::text, a.raw, t.purpose,
  (extract(epoch FROM now() - a.signed_at) * 1000)::double precision AS age_ms,
  (extract(epoch FROM now() - a.broadcast_at) * 1000)::double precision AS silent_ms
${OPEN}
  AND NOT EXISTS (
    SELECT 1 FROM jobs j WHERE j.transaction_id = t.id AND j.state IN ('proven', 'submitted')
  )
ORDER BY t.nonce`;

/** Current transactions that no job waits for and that are not known to be mined, in order of their nonces. */
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
  coalesce(extract(epoch FROM now() - min(a.signed_at)), 0)::double precision AS oldest
${OPEN}`;

/** How many transactions are not known to be mined, and the age of the oldest attempt in seconds. */
export async function countOpen(parameters: {
  database: Database;
}): Promise<{ open: number; oldestSeconds: number }> {
  const [row] = await parameters.database.query(COUNT_OPEN);
  return { open: Number(row?.open), oldestSeconds: Number(row?.oldest) };
}

const FIND_GAP = `SELECT 1
FROM transactions t
JOIN attempts a ON a.transaction_id = t.id
WHERE t.nonce > $1
  AND t.dropped_at IS NULL
  AND t.nonce = (SELECT min(t.nonce) ${OPEN})
GROUP BY t.id
HAVING min(a.signed_at) < now() - make_interval(secs => $2::double precision / 1000)
  AND bool_or(a.broadcast_at IS NOT NULL)`;

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

import type { Database } from "../storage/database.ts";

const LIST_SETTLED_BLOCKS = `SELECT DISTINCT a.block_number::text AS number, a.block_hash AS hash
FROM jobs j
JOIN attempts a ON a.transaction_id = j.transaction_id AND a.replaced_at IS NULL
LEFT JOIN pages p ON p.page_id = j.page_id
WHERE j.state IN ('pending', 'settled') AND j.finalised_at IS NULL AND p.is_deep IS NOT TRUE
ORDER BY number`;

/** The blocks that hold settlements, and proposals of pages, which a reorganisation could still take back. */
export async function listSettledBlocks(parameters: {
  database: Database;
}): Promise<{ number: number; hash: string }[]> {
  const rows = await parameters.database.query(LIST_SETTLED_BLOCKS);
  return rows.map((row) => ({ number: Number(row.number), hash: row.hash as string }));
}

const LIST_SETTLED_IN = `SELECT DISTINCT a.hash
FROM jobs j
JOIN attempts a ON a.transaction_id = j.transaction_id AND a.replaced_at IS NULL
WHERE j.state IN ('pending', 'settled') AND j.finalised_at IS NULL AND a.block_hash = $1`;

/** The transactions that settled jobs, or proposed a page of them, and were last seen in a block, by their hashes. */
export async function listSettledIn(parameters: {
  database: Database;
  blockHash: string;
}): Promise<string[]> {
  const rows = await parameters.database.query(LIST_SETTLED_IN, [parameters.blockHash]);
  return rows.map(({ hash }) => hash as string);
}

const REOPEN_SETTLED = `WITH unmined AS (
  UPDATE attempts
  SET block_number = NULL, block_hash = NULL, gas_used = NULL, broadcast_at = NULL
  WHERE hash = $1
), gone AS (
  DELETE FROM pages
  WHERE transaction_id = (SELECT transaction_id FROM attempts WHERE hash = $1) AND state <> 'rejected'
)
UPDATE jobs
SET state = 'submitted', page_id = NULL, settled_at = NULL, last_error = $2, leased_by = NULL, leased_until = NULL,
    claims = 0, claims_alone = 0, run_after = now()
WHERE transaction_id = (SELECT transaction_id FROM attempts WHERE hash = $1)
  AND state IN ('pending', 'settled') AND finalised_at IS NULL
RETURNING request_id`;

/**
 * settled or pending -> submitted, for all jobs of a transaction that a reorganisation took out of the chain, and with it
 * the page that it proposed. The same signed transaction is sent again at once. Returns the jobs that this call moved, by their request ids.
 */
export async function reopenSettled(parameters: {
  database: Database;
  transactionHash: string;
}): Promise<string[]> {
  const { database, transactionHash } = parameters;
  const rows = await database.query(REOPEN_SETTLED, [
    transactionHash,
    "a reorganisation removed the transaction",
  ]);
  return rows.map(({ request_id }) => request_id as string);
}

const FINALISE_SETTLED = `UPDATE jobs
SET finalised_at = now()
FROM attempts a
WHERE a.transaction_id = jobs.transaction_id
  AND a.replaced_at IS NULL
  AND jobs.state = 'settled'
  AND jobs.finalised_at IS NULL
  AND a.block_number <= $1
RETURNING jobs.request_id`;

const DEEPEN_PAGES = `UPDATE pages
SET is_deep = true
FROM attempts a
WHERE a.transaction_id = pages.transaction_id AND a.replaced_at IS NULL AND NOT pages.is_deep AND a.block_number <= $1`;

/** Ends the watch over settlements, and proposals, in block `upToBlock` and before. Returns of how many jobs. */
export async function finaliseSettled(parameters: {
  database: Database;
  upToBlock: number;
}): Promise<number> {
  await parameters.database.query(DEEPEN_PAGES, [parameters.upToBlock]);
  return (await parameters.database.query(FINALISE_SETTLED, [parameters.upToBlock])).length;
}

const LIST_EXTERNAL_SETTLED = `SELECT request_id, seen_at_block::text AS head FROM jobs
WHERE state = 'settled' AND transaction_id IS NULL AND finalised_at IS NULL`;

/** Jobs that somebody else settled, and the head of the chain when that was first seen, until they are final. */
export async function listExternalSettled(parameters: {
  database: Database;
}): Promise<{ requestId: string; seenAtBlock: number }[]> {
  const rows = await parameters.database.query(LIST_EXTERNAL_SETTLED);
  return rows.map((row) => ({
    requestId: row.request_id as string,
    seenAtBlock: Number(row.head),
  }));
}

const FINALISE_EXTERNAL = `UPDATE jobs SET finalised_at = now()
WHERE request_id = $1 AND state = 'settled' AND transaction_id IS NULL
RETURNING request_id`;
const REOPEN_EXTERNAL = `UPDATE jobs
SET state = 'proven', settled_at = NULL, seen_at_block = NULL, last_error = 'a reorganisation removed the settlement'
WHERE request_id = $1 AND state = 'settled' AND transaction_id IS NULL AND finalised_at IS NULL
RETURNING request_id`;

/**
 * Ends the watch over a settlement by somebody else: final, or gone with a reorganisation, which makes the job proven
 * again. Returns whether this call made the transition.
 */
export async function decideExternalSettled(parameters: {
  database: Database;
  requestId: string;
  outcome: "final" | "gone";
}): Promise<boolean> {
  const { database, requestId, outcome } = parameters;
  const rows = await database.query(outcome === "final" ? FINALISE_EXTERNAL : REOPEN_EXTERNAL, [
    requestId,
  ]);
  return rows.length === 1;
}

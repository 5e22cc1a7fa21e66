import type { Database } from "../storage/database.ts";
import { type Job, jobOf } from "./job.ts";

const LIST_SETTLED_BLOCKS = `SELECT DISTINCT t.block_number::text AS number, t.block_hash AS hash
FROM jobs j
JOIN transactions t ON t.hash = j.transaction_hash
WHERE j.state = 'settled' AND j.finalised_at IS NULL
ORDER BY number`;

/** The blocks that hold settlements which a reorganisation could still take back. */
export async function listSettledBlocks(parameters: {
  database: Database;
}): Promise<{ number: number; hash: string }[]> {
  const rows = await parameters.database.query(LIST_SETTLED_BLOCKS);
  return rows.map((row) => ({ number: Number(row.number), hash: row.hash as string }));
}

const LIST_SETTLED_IN =
  "SELECT * FROM job_records WHERE state = 'settled' AND finalised_at IS NULL AND block_hash = $1";

/** The settled jobs whose transactions were last seen in a block. */
export async function listSettledIn(parameters: {
  database: Database;
  blockHash: string;
}): Promise<Job[]> {
  return (await parameters.database.query(LIST_SETTLED_IN, [parameters.blockHash])).map(jobOf);
}

const REOPEN_SETTLED = `WITH unmined AS (
  UPDATE transactions
  SET block_number = NULL, block_hash = NULL, gas_used = NULL, broadcast_at = NULL
  WHERE hash = $2
)
UPDATE jobs
SET state = 'submitted', settled_at = NULL, last_error = $3, leased_by = NULL, leased_until = NULL,
    claims = 0, claims_alone = 0, run_after = now()
WHERE request_id = $1 AND transaction_hash = $2 AND state = 'settled' AND finalised_at IS NULL
RETURNING request_id`;

/**
 * settled -> submitted, for a transaction that a reorganisation took out of the chain. The same signed
 * transaction is sent again at once. Returns whether this call made the transition.
 */
export async function reopenSettled(parameters: {
  database: Database;
  requestId: string;
  transactionHash: string;
}): Promise<boolean> {
  const { database, requestId, transactionHash } = parameters;
  const rows = await database.query(REOPEN_SETTLED, [
    requestId,
    transactionHash,
    "a reorganisation removed the transaction",
  ]);
  return rows.length === 1;
}

const FINALISE_SETTLED = `UPDATE jobs
SET finalised_at = now()
FROM transactions t
WHERE t.hash = jobs.transaction_hash
  AND jobs.state = 'settled'
  AND jobs.finalised_at IS NULL
  AND t.block_number <= $1
RETURNING jobs.request_id`;

/** Ends the watch over settlements in block `upToBlock` and before. Returns of how many jobs. */
export async function finaliseSettled(parameters: {
  database: Database;
  upToBlock: number;
}): Promise<number> {
  return (await parameters.database.query(FINALISE_SETTLED, [parameters.upToBlock])).length;
}

const LIST_EXTERNAL_SETTLED = `SELECT request_id, seen_at_block::text AS head FROM jobs
WHERE state = 'settled' AND transaction_hash IS NULL AND finalised_at IS NULL`;

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
WHERE request_id = $1 AND state = 'settled' AND transaction_hash IS NULL
RETURNING request_id`;
const REOPEN_EXTERNAL = `UPDATE jobs
SET state = 'proven', settled_at = NULL, seen_at_block = NULL, last_error = 'a reorganisation removed the settlement'
WHERE request_id = $1 AND state = 'settled' AND transaction_hash IS NULL AND finalised_at IS NULL
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

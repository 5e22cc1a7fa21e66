import type { Database } from "../storage/database.ts";
import type { MinedReceipt } from "./transactionStore.ts";

const RECORD_BROADCAST = `WITH sent AS (
  UPDATE attempts SET broadcast_at = now() WHERE hash = $1
)
UPDATE jobs
SET state = 'submitted', submitted_at = now(), attempts = 0, last_error = NULL
WHERE transaction_id = (SELECT transaction_id FROM attempts WHERE hash = $1) AND state = 'proven'
RETURNING request_id`;

const idsOf = (rows: readonly { request_id?: unknown }[]): string[] =>
  rows.map(({ request_id }) => request_id as string);

/**
 * Notes that a transaction was sent; proven -> submitted the first time, for all of its jobs.
 * Returns the jobs that this call moved on, by their request ids.
 */
export async function recordBroadcast(parameters: {
  database: Database;
  transactionHash: string;
}): Promise<string[]> {
  const { database, transactionHash } = parameters;
  return idsOf(await database.query(RECORD_BROADCAST, [transactionHash]));
}

const RECORD_SETTLEMENT = `WITH mined AS (
  UPDATE attempts
  SET block_number = $3, block_hash = $4, gas_used = $5
  WHERE hash = $2
)
UPDATE jobs
SET state = 'settled', settled_at = now(), last_error = NULL, leased_by = NULL, leased_until = NULL,
    claims = 0, claims_alone = 0, run_after = now()
WHERE request_id = ANY ($1::text[])
  AND transaction_id = (SELECT transaction_id FROM attempts WHERE hash = $2)
  AND state = 'submitted'
RETURNING request_id`;

/**
 * submitted -> settled, for those of a transaction's jobs that it has settled. For jobs that are settled already, only
 * the place of the transaction is brought up to date. Returns the jobs that this call moved on.
 */
export async function recordSettlement(parameters: {
  database: Database;
  requestIds: readonly string[];
  mined: MinedReceipt;
}): Promise<string[]> {
  const { database, requestIds, mined } = parameters;
  const rows = await database.query(RECORD_SETTLEMENT, [
    [...requestIds],
    mined.hash,
    mined.blockNumber,
    mined.blockHash,
    mined.gasUsed.toString(),
  ]);
  return idsOf(rows);
}

const RECORD_UNDONE = `UPDATE jobs
SET state = CASE WHEN is_optimistic AND $4 THEN 'accepted' ELSE 'proven' END, is_optimistic = is_optimistic AND NOT $4,
    transaction_id = NULL, submitted_at = NULL, settle_alone = settle_alone OR $4, last_error = $3,
    leased_by = NULL, leased_until = NULL, claims = 0, claims_alone = 0, run_after = now()
WHERE request_id = ANY ($1::text[])
  AND transaction_id = (SELECT transaction_id FROM attempts WHERE hash = $2)
  AND state = 'submitted'
RETURNING request_id`;

/**
 * submitted -> proven, for jobs of a transaction that was mined and has not settled them. Set apart, each of them is settled
 * alone from now on, where what is wrong is its own; one that was to be proved on demand is accepted then, to be proved.
 * Returns the jobs that this call moved.
 */
export async function recordUndone(parameters: {
  database: Database;
  requestIds: readonly string[];
  transactionHash: string;
  reason: string;
  apart: boolean;
}): Promise<string[]> {
  const { apart, database, requestIds, transactionHash, reason } = parameters;
  const values = [[...requestIds], transactionHash, reason, apart];
  return idsOf(await database.query(RECORD_UNDONE, values));
}

const SET_APART = `UPDATE jobs
SET settle_alone = true, last_error = $2, state = CASE WHEN is_optimistic THEN 'accepted' ELSE state END,
    is_optimistic = false
WHERE request_id = ANY ($1::text[]) AND state = 'proven' AND transaction_id IS NULL AND NOT settle_alone
RETURNING request_id`;

/**
 * Keeps proven jobs out of transactions with others, which would revert because of them, or pages. Those that were to be proved
 * on demand are accepted then, to be proved and settled alone. Returns which.
 */
export async function setApart(parameters: {
  database: Database;
  requestIds: readonly string[];
  reason: string;
}): Promise<string[]> {
  const { database, requestIds, reason } = parameters;
  return idsOf(await database.query(SET_APART, [[...requestIds], reason]));
}

const RELEASE_CLAIMS = `UPDATE jobs
SET state = 'accepted', settle_alone = true, is_optimistic = false, last_error = 'no pages are proposed any more'
WHERE is_optimistic AND state = 'proven' AND transaction_id IS NULL AND leased_by IS NULL
RETURNING request_id`;

/** Has what waits for an optimistic page proved and settled alone, where none are proposed any more. Returns which. */
export async function releaseClaims(parameters: { database: Database }): Promise<string[]> {
  return idsOf(await parameters.database.query(RELEASE_CLAIMS));
}

const RECORD_EXTERNAL_SETTLEMENT = `WITH found AS (
  SELECT request_id, transaction_id FROM jobs
  WHERE request_id = $1 AND state IN ('proven', 'submitted')
  FOR UPDATE
), settled AS (
  UPDATE jobs
  SET state = 'settled',
      settled_at = now(),
      seen_at_block = $2,
      transaction_id = NULL,
      last_error = NULL,
      leased_by = NULL,
      leased_until = NULL,
      claims = 0,
      claims_alone = 0,
      run_after = now()
  WHERE request_id IN (SELECT request_id FROM found)
  RETURNING request_id
), dropped AS (
  -- The nonce of a transaction that nobody else waits for is used up: it may not be taken for one that is still to be mined.
  UPDATE transactions t
  SET dropped_at = now()
  FROM found
  WHERE t.id = found.transaction_id
    AND t.dropped_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.transaction_id = t.id AND a.block_number IS NOT NULL)
    AND NOT EXISTS (
      SELECT 1 FROM jobs other
      WHERE other.transaction_id = t.id AND other.request_id <> $1 AND other.state IN ('proven', 'submitted')
    )
)
SELECT request_id FROM settled`;

/**
 * proven or submitted -> settled, for a request that the chain shows as settled by a transaction that is not
 * in this queue: anybody who holds the receipt and a proof may settle it. The job's own transaction is given up with it,
 * unless it was mined or others wait for it. Returns whether this call made the transition.
 */
export async function recordExternalSettlement(parameters: {
  database: Database;
  requestId: string;
  /** block from which the settlement is watched until it is final */
  head: number;
}): Promise<boolean> {
  const { database, requestId, head } = parameters;
  return (await database.query(RECORD_EXTERNAL_SETTLEMENT, [requestId, head])).length === 1;
}

import type { Database } from "../storage/database.ts";

const RECORD_BROADCAST = `WITH sent AS (
  UPDATE transactions SET broadcast_at = now() WHERE hash = $2
)
UPDATE jobs
SET state = 'submitted', submitted_at = now(), attempts = 0, last_error = NULL
WHERE request_id = $1 AND transaction_hash = $2 AND state = 'proven'
RETURNING request_id`;

/**
 * Notes that a transaction was sent; proven -> submitted the first time.
 * Returns whether this call made the transition.
 */
export async function recordBroadcast(parameters: {
  database: Database;
  requestId: string;
  transactionHash: string;
}): Promise<boolean> {
  const { database, requestId, transactionHash } = parameters;
  return (await database.query(RECORD_BROADCAST, [requestId, transactionHash])).length === 1;
}

const RECORD_SETTLEMENT = `WITH mined AS (
  UPDATE transactions
  SET block_number = $3, block_hash = $4, gas_used = $5
  WHERE hash = $2
)
UPDATE jobs
SET state = 'settled', settled_at = now(), last_error = NULL, leased_by = NULL, leased_until = NULL,
    claims = 0, claims_alone = 0, run_after = now()
WHERE request_id = $1 AND transaction_hash = $2 AND state = 'submitted'
RETURNING request_id`;

/** Where a transaction lies in the chain. */
export type MinedTransaction = {
  hash: string;
  blockNumber: number;
  blockHash: string;
  gasUsed: bigint;
};

/**
 * submitted -> settled. For a job that is settled already, only the place of its transaction is brought up
 * to date. Returns whether this call made the transition.
 */
export async function recordSettlement(parameters: {
  database: Database;
  requestId: string;
  mined: MinedTransaction;
}): Promise<boolean> {
  const { database, requestId, mined } = parameters;
  const rows = await database.query(RECORD_SETTLEMENT, [
    requestId,
    mined.hash,
    mined.blockNumber,
    mined.blockHash,
    mined.gasUsed.toString(),
  ]);
  return rows.length === 1;
}

const RECORD_EXTERNAL_SETTLEMENT = `WITH settled AS (
  UPDATE jobs
  SET state = 'settled',
      settled_at = now(),
      seen_at_block = $2,
      transaction_hash = NULL,
      last_error = NULL,
      leased_by = NULL,
      leased_until = NULL,
      claims = 0,
      claims_alone = 0,
      run_after = now()
  WHERE request_id = $1 AND state IN ('proven', 'submitted')
  RETURNING request_id
), dropped AS (
  -- The nonces of the job's own attempts are used up: none of them may be taken for one that is still to be mined.
  UPDATE transactions
  SET dropped_at = now()
  WHERE request_id IN (SELECT request_id FROM settled) AND dropped_at IS NULL AND block_number IS NULL
)
SELECT request_id FROM settled`;

/**
 * proven or submitted -> settled, for a request that the chain shows as settled by a transaction that is not
 * in this queue: anybody who holds the receipt and a proof may settle it. The job's own attempts are given up with it.
 * Returns whether this call made the transition.
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

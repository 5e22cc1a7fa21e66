import type { Database, Queryable } from "../storage/database.ts";
import type { RecordedTransaction } from "./job.ts";

const LOCK_NONCES = "SELECT 1 FROM identity FOR UPDATE";
const ALLOCATE_NONCE = `SELECT min(candidate)::text AS nonce
FROM (
  SELECT $1::bigint AS candidate
  UNION
  SELECT nonce + 1 FROM transactions WHERE nonce >= $1::bigint
) candidates
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE nonce = candidate)`;
const INSERT_TRANSACTION = `INSERT INTO transactions (hash, nonce, raw, request_id, purpose) VALUES ($1, $2, $3, $4, $5)`;

/** Signs a transaction with the nonce that it is given. */
export type SignWithNonce = (nonce: number) => Promise<{ hash: string; raw: string }>;

/**
 * Allocates the account's next nonce, has a transaction signed with it and records it, before anything is sent.
 * This is the only place where transaction nonces come from; the row of `identity` is the lock that makes several
 * workers take turns.
 *
 * A nonce is the lowest that the chain has no transaction for and this database never gave out. An endpoint that lags
 * behind therefore cannot have a nonce given twice, and a gap that another program left is filled.
 */
export async function recordSigned(parameters: {
  /** a transaction of the database: rolled back, it uses no nonce */
  tx: Queryable;
  /** number of transactions that the chain knows of the account, pending ones included */
  chainNonce: number;
  /** job that the transaction settles; null for another purpose */
  requestId: string | null;
  purpose: string;
  sign: SignWithNonce;
}): Promise<RecordedTransaction> {
  const { tx, chainNonce, requestId, purpose, sign } = parameters;
  await tx.query(LOCK_NONCES);
  const [row] = await tx.query(ALLOCATE_NONCE, [chainNonce]);
  const nonce = Number(row?.nonce);
  const { hash, raw } = await sign(nonce);
  await tx.query(INSERT_TRANSACTION, [hash, nonce, raw, requestId, purpose]);
  return {
    hash,
    nonce,
    raw,
    ageMs: 0,
    silentMs: null,
    blockNumber: null,
    blockHash: null,
    gasUsed: null,
  };
}

const FIND_UNSENT_JOB = `SELECT 1 FROM jobs
WHERE request_id = $1 AND state = 'proven' AND transaction_hash IS NULL
FOR UPDATE`;
const TIE_TO_JOB = "UPDATE jobs SET transaction_hash = $2 WHERE request_id = $1";

/**
 * Records the first transaction of a proven job, with a nonce of its own, and ties it to the job.
 * Returns undefined, and uses no nonce, where the job has a transaction already or is not proven.
 */
export async function recordTransaction(parameters: {
  database: Database;
  requestId: string;
  /** number of transactions that the chain knows of the account, pending ones included */
  chainNonce: number;
  sign: SignWithNonce;
}): Promise<RecordedTransaction | undefined> {
  const { database, requestId, chainNonce, sign } = parameters;
  return await database.transaction(async (tx) => {
    if ((await tx.query(FIND_UNSENT_JOB, [requestId])).length === 0) return undefined;
    const purpose = "settlement";
    const transaction = await recordSigned({ tx, chainNonce, requestId, purpose, sign });
    await tx.query(TIE_TO_JOB, [requestId, transaction.hash]);
    return transaction;
  });
}

const MARK_REPLACED = `UPDATE transactions SET replaced_at = now()
WHERE hash = $1 AND replaced_at IS NULL AND dropped_at IS NULL AND block_number IS NULL
RETURNING nonce, request_id, purpose`;
const TIE_REPLACEMENT = `UPDATE jobs SET transaction_hash = $2
WHERE transaction_hash = $1 AND state IN ('proven', 'submitted')`;

/**
 * Records a replacement, signed with the nonce of the attempt that it replaces, before it is sent. Returns false, and
 * changes nothing, where that attempt is no longer the current one: somebody else replaced it, or it was mined.
 */
export async function recordReplacement(parameters: {
  database: Database;
  /** hash of the attempt that is replaced */
  replaced: string;
  replacement: { hash: string; raw: string };
}): Promise<boolean> {
  const { database, replaced, replacement } = parameters;
  return await database.transaction(async (tx) => {
    const [row] = await tx.query(MARK_REPLACED, [replaced]);
    if (row === undefined) return false;
    const { hash, raw } = replacement;
    await tx.query(INSERT_TRANSACTION, [hash, row.nonce, raw, row.request_id, row.purpose]);
    await tx.query(TIE_REPLACEMENT, [replaced, hash]);
    return true;
  });
}

const RECORD_FILLER = `INSERT INTO transactions (hash, nonce, raw, purpose)
SELECT $1, $2, $3, 'gap'
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE nonce = $2 AND dropped_at IS NULL)
ON CONFLICT (hash) DO UPDATE SET dropped_at = NULL, broadcast_at = NULL
RETURNING hash`;

/** Records a transaction for a nonce that nothing else has. Returns false where something has it by now. */
export async function recordFiller(parameters: {
  database: Database;
  nonce: number;
  hash: string;
  raw: string;
}): Promise<boolean> {
  const { database, nonce, hash, raw } = parameters;
  return await database.transaction(async (tx) => {
    await tx.query(LOCK_NONCES);
    return (await tx.query(RECORD_FILLER, [hash, nonce, raw])).length === 1;
  });
}

const DEMOTE = `UPDATE transactions SET replaced_at = now()
WHERE nonce = (SELECT nonce FROM transactions WHERE hash = $1)
  AND hash <> $1 AND replaced_at IS NULL AND dropped_at IS NULL`;
const PROMOTE = "UPDATE transactions SET replaced_at = NULL WHERE hash = $1 AND dropped_at IS NULL";
const TIE_PROMOTED = `UPDATE jobs SET transaction_hash = $1
WHERE request_id = (SELECT request_id FROM transactions WHERE hash = $1) AND state = 'submitted'`;

/** Makes an attempt the current one of its nonce and its job: it was mined, although it had been replaced. */
export async function promoteAttempt(parameters: {
  database: Database;
  hash: string;
}): Promise<void> {
  const { database, hash } = parameters;
  await database.transaction(async (tx) => {
    for (const statement of [DEMOTE, PROMOTE, TIE_PROMOTED]) await tx.query(statement, [hash]);
  });
}

const DROP_TRANSACTION = `WITH dropped AS (
  UPDATE transactions
  SET dropped_at = now()
  WHERE nonce = (SELECT nonce FROM transactions WHERE hash = $1) AND dropped_at IS NULL
  RETURNING hash
)
UPDATE jobs
SET state = 'proven', transaction_hash = NULL, submitted_at = NULL, last_error = $2
WHERE transaction_hash IN (SELECT hash FROM dropped)
  AND state IN ('proven', 'submitted')
RETURNING request_id`;

/**
 * Gives up every attempt under the nonce of a transaction, because another transaction of the account has taken it;
 * a job that it was for goes back to proven, without a transaction. Returns whether a job did.
 */
export async function dropTransaction(parameters: {
  database: Database;
  transactionHash: string;
}): Promise<boolean> {
  const { database, transactionHash } = parameters;
  const rows = await database.query(DROP_TRANSACTION, [
    transactionHash,
    "another transaction of the account took the nonce",
  ]);
  return rows.length === 1;
}

/** Notes that a recorded transaction was sent, the first time or again. */
export async function recordSent(parameters: { database: Database; hash: string }): Promise<void> {
  const { database, hash } = parameters;
  await database.query("UPDATE transactions SET broadcast_at = now() WHERE hash = $1", [hash]);
}

const RECORD_MINED = `UPDATE transactions SET block_number = $2, block_hash = $3, gas_used = $4
WHERE hash = $1 AND block_number IS NULL
RETURNING hash`;

/** Notes the block of a transaction that settles no job. Returns whether this call was the first. */
export async function recordMined(parameters: {
  database: Database;
  receipt: { hash: string; blockNumber: number; blockHash: string; gasUsed: bigint };
}): Promise<boolean> {
  const { database, receipt } = parameters;
  const { hash, blockNumber, blockHash, gasUsed } = receipt;
  const rows = await database.query(RECORD_MINED, [
    hash,
    blockNumber,
    blockHash,
    gasUsed.toString(),
  ]);
  return rows.length === 1;
}

import type { Database, Queryable } from "../storage/database.ts";
import type { RecordedTransaction } from "./job.ts";
import type { MinedReceipt, SignWithNonce } from "./transactionStore.ts";

const LOCK_NONCES = "SELECT 1 FROM identity FOR UPDATE";
const ALLOCATE_NONCE = `SELECT min(candidate)::text AS nonce
FROM (
  SELECT $1::bigint AS candidate
  UNION
  SELECT nonce + 1 FROM transactions WHERE nonce >= $1::bigint
) candidates
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE nonce = candidate)`;
const INSERT_TRANSACTION = `INSERT INTO transactions (nonce, purpose, kind) VALUES ($1, $2, $3)
RETURNING id::text`;
const INSERT_ATTEMPT = "INSERT INTO attempts (hash, transaction_id, raw) VALUES ($1, $2, $3)";

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
  purpose: string;
  /** kind of settlement; absent for another purpose */
  kind?: string;
  sign: SignWithNonce;
}): Promise<RecordedTransaction & { id: string }> {
  const { tx, chainNonce, kind, purpose, sign } = parameters;
  await tx.query(LOCK_NONCES);
  const [row] = await tx.query(ALLOCATE_NONCE, [chainNonce]);
  const nonce = Number(row?.nonce);
  const { hash, raw } = await sign(nonce);
  const [inserted] = await tx.query(INSERT_TRANSACTION, [nonce, purpose, kind ?? null]);
  const id = inserted?.id as string;
  await tx.query(INSERT_ATTEMPT, [hash, id, raw]);
  return {
    id,
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

const FIND_UNSENT_JOBS = `SELECT request_id FROM jobs
WHERE request_id = ANY ($1::text[]) AND state = 'proven' AND transaction_id IS NULL
ORDER BY nonce
FOR UPDATE`;
const TIE_JOBS = "UPDATE jobs SET transaction_id = $2 WHERE request_id = ANY ($1::text[])";
const CARRY_JOBS = `INSERT INTO transaction_jobs (transaction_id, request_id)
SELECT $2, unnest($1::text[])`;

/**
 * Records the transaction that settles proven jobs, with a nonce of its own, and ties it to all of them.
 * Returns undefined, and uses no nonce, where one of them has a transaction already or is not proven.
 */
export async function recordTransaction(parameters: {
  database: Database;
  requestIds: readonly string[];
  kind: string;
  purpose?: string;
  /** number of transactions that the chain knows of the account, pending ones included */
  chainNonce: number;
  sign: SignWithNonce;
}): Promise<RecordedTransaction | undefined> {
  const { database, requestIds, purpose = "settlement", ...signing } = parameters;
  const ids = [...requestIds];
  return await database.transaction(async (tx) => {
    if ((await tx.query(FIND_UNSENT_JOBS, [ids])).length !== ids.length) return undefined;
    const { id, ...transaction } = await recordSigned({ tx, purpose, ...signing });
    await tx.query(TIE_JOBS, [ids, id]);
    await tx.query(CARRY_JOBS, [ids, id]);
    return transaction;
  });
}

const MARK_REPLACED = `UPDATE attempts SET replaced_at = now()
WHERE hash = $1 AND replaced_at IS NULL AND block_number IS NULL
  AND EXISTS (SELECT 1 FROM transactions t WHERE t.id = transaction_id AND t.dropped_at IS NULL)
RETURNING transaction_id::text AS id`;

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
    await tx.query(INSERT_ATTEMPT, [replacement.hash, row.id, replacement.raw]);
    return true;
  });
}

const FIND_LIVE_NONCE = "SELECT 1 FROM transactions WHERE nonce = $1 AND dropped_at IS NULL";
/** The same bytes were a filler before, and were given up. */
const REVIVE_FILLER = `WITH revived AS (
  UPDATE attempts SET broadcast_at = NULL, replaced_at = NULL WHERE hash = $1 RETURNING transaction_id
), others AS (
  UPDATE attempts SET replaced_at = now()
  WHERE transaction_id IN (SELECT transaction_id FROM revived) AND hash <> $1 AND replaced_at IS NULL
)
UPDATE transactions SET dropped_at = NULL WHERE id IN (SELECT transaction_id FROM revived)
RETURNING id`;

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
    if ((await tx.query(FIND_LIVE_NONCE, [nonce])).length > 0) return false;
    if ((await tx.query(REVIVE_FILLER, [hash])).length > 0) return true;
    const [row] = await tx.query(INSERT_TRANSACTION, [nonce, "gap", null]);
    await tx.query(INSERT_ATTEMPT, [hash, row?.id, raw]);
    return true;
  });
}

const DEMOTE = `UPDATE attempts SET replaced_at = now()
WHERE transaction_id = (SELECT transaction_id FROM attempts WHERE hash = $1)
  AND hash <> $1 AND replaced_at IS NULL`;
const PROMOTE = "UPDATE attempts SET replaced_at = NULL WHERE hash = $1";

/** Makes an attempt the current one of its transaction: it was mined, although it had been replaced. */
export async function promoteAttempt(parameters: {
  database: Database;
  hash: string;
}): Promise<void> {
  const { database, hash } = parameters;
  await database.transaction(async (tx) => {
    for (const statement of [DEMOTE, PROMOTE]) await tx.query(statement, [hash]);
  });
}

const DROP_TRANSACTION = `WITH dropped AS (
  UPDATE transactions
  SET dropped_at = now(), leased_by = NULL, leased_until = NULL
  WHERE id = (SELECT transaction_id FROM attempts WHERE hash = $1) AND dropped_at IS NULL
  RETURNING id
)
UPDATE jobs
SET state = 'proven', transaction_id = NULL, submitted_at = NULL, last_error = $2
WHERE transaction_id IN (SELECT id FROM dropped)
  AND state IN ('proven', 'submitted')
RETURNING request_id`;

/**
 * Gives up every attempt of a transaction, because another transaction of the account has taken its nonce; the jobs
 * that it was for go back to proven, without a transaction. Returns how many did.
 */
export async function dropTransaction(parameters: {
  database: Database;
  /** hash of any of its attempts */
  transactionHash: string;
}): Promise<number> {
  const { database, transactionHash } = parameters;
  const rows = await database.query(DROP_TRANSACTION, [
    transactionHash,
    "another transaction of the account took the nonce",
  ]);
  return rows.length;
}

/** Notes that a recorded transaction was sent, the first time or again. */
export async function recordSent(parameters: { database: Database; hash: string }): Promise<void> {
  const { database, hash } = parameters;
  await database.query("UPDATE attempts SET broadcast_at = now() WHERE hash = $1", [hash]);
}

const RECORD_MINED = `UPDATE attempts SET block_number = $2, block_hash = $3, gas_used = $4
WHERE hash = $1 AND block_number IS NULL
RETURNING hash`;

/** Notes the block of a transaction, whatever it has done for its jobs. Returns whether this call was the first. */
export async function recordMined(parameters: {
  database: Database;
  receipt: MinedReceipt;
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

import type { Queryable } from "../storage/database.ts";
import { readSql } from "../storage/readSql.ts";
import type { RecordedTransaction } from "./job.ts";

const LOCK = "SELECT 1 FROM identity FOR UPDATE";
const ALLOCATE = readSql(import.meta.url, "allocateTransactionNonce.sql");
const INSERT = `INSERT INTO transactions (hash, nonce, raw, request_id, purpose) VALUES ($1, $2, $3, $4, $5)`;

/** Signs a transaction with the nonce that it is given. */
export type SignWithNonce = (nonce: number) => Promise<{ hash: string; raw: string }>;

/**
 * Allocates the account's next nonce, has a transaction signed with it and records it, before anything is sent.
 * This is the only place where transaction nonces come from; the row of `identity` is the lock that makes several
 * workers take turns.
 *
 * A nonce is the lowest that the chain has no transaction for and this database never gave out. An endpoint that lags
 * behind therefore cannot have a nonce given twice, and a hole that another sender of the account left is filled.
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
  await tx.query(LOCK);
  const [row] = await tx.query(ALLOCATE, [chainNonce]);
  const nonce = Number(row?.nonce);
  const { hash, raw } = await sign(nonce);
  await tx.query(INSERT, [hash, nonce, raw, requestId, purpose]);
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

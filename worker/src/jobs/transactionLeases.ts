import type { Database } from "../storage/database.ts";
import { type Job, jobOf, type RecordedTransaction } from "./job.ts";
import type { Claims } from "./leases.ts";

/** A transaction that jobs wait for, and those jobs, in order of their nonces. */
export type SettlementTransaction = {
  /** row of the transaction */
  id: string;
  /** kind of settlement that made it */
  kind: string;
  transaction: RecordedTransaction;
  jobs: readonly Job[];
};

const LEASE_TRANSACTIONS = `WITH due AS (
  SELECT id, leased_by IS NOT DISTINCT FROM $2::text AS is_own
  FROM transactions
  WHERE id IN (
      SELECT transaction_id FROM jobs
      WHERE state = $1 AND finalised_at IS NULL AND transaction_id IS NOT NULL
    )
    AND dropped_at IS NULL
    AND run_after <= now()
    AND (leased_until IS NULL OR leased_until < now() OR leased_by = $2)
    AND claims BETWEEN $5 AND $6
  ORDER BY nonce
  LIMIT $4
  FOR UPDATE SKIP LOCKED
), leased AS (
  UPDATE transactions
  SET leased_by = $2,
      leased_until = now() + make_interval(secs => $3),
      claims = claims + CASE WHEN is_own THEN 0 ELSE 1 END,
      run_after = CASE
        WHEN is_own OR claims = 0 THEN run_after
        ELSE now() + make_interval(secs => 5 * 2 ^ least(claims, 9))
      END
  FROM due
  WHERE transactions.id = due.id
  RETURNING transactions.id, transactions.kind
)
SELECT leased.kind, job_records.*
FROM leased
JOIN job_records ON job_records.transaction_id = leased.id::text
WHERE job_records.state = $1
ORDER BY job_records.transaction_nonce::bigint, job_records.nonce::numeric`;

/**
 * Leases up to `limit` transactions that jobs in a state wait for, in order of their nonces, as `leaseJobs` leases jobs:
 * with claims, rests, and an end. What becomes of a transaction becomes of all its jobs, so that nobody leases those.
 */
export async function leaseTransactions(parameters: {
  database: Database;
  owner: string;
  /** of the jobs: `proven` where the transaction was not sent yet */
  state: "proven" | "submitted";
  limit: number;
  leaseSeconds: number;
  claims: Claims;
}): Promise<SettlementTransaction[]> {
  const { claims, database, leaseSeconds, limit, owner, state } = parameters;
  const values = [state, owner, leaseSeconds, limit, claims.from, claims.to];
  const leased = new Map<string, SettlementTransaction & { jobs: Job[] }>();
  for (const row of await database.query(LEASE_TRANSACTIONS, values)) {
    const job = jobOf(row);
    const { transaction } = job;
    if (transaction === null) continue;
    const id = row.transaction_id as string;
    const known = leased.get(id);
    if (known === undefined)
      leased.set(id, { id, kind: row.kind as string, transaction, jobs: [job] });
    else known.jobs.push(job);
  }
  return [...leased.values()];
}

const RELEASE_TRANSACTION = `WITH released AS (
  UPDATE transactions
  SET leased_by = NULL,
      leased_until = NULL,
      claims = 0,
      run_after = now() + make_interval(secs => $4)
  WHERE id = $1 AND leased_by = $2
  RETURNING id
)
UPDATE jobs SET last_error = $3
WHERE $3::text IS NOT NULL
  AND transaction_id IN (SELECT id FROM released)
  AND state IN ('proven', 'submitted')`;

/** Gives a lease back. With an error: notes it for the jobs, and lets the transaction rest for `delaySeconds`. */
export async function releaseTransaction(parameters: {
  database: Database;
  owner: string;
  id: string;
  error?: string;
  delaySeconds?: number;
}): Promise<void> {
  const { database, delaySeconds, error, id, owner } = parameters;
  await database.query(RELEASE_TRANSACTION, [id, owner, error ?? null, delaySeconds ?? 0]);
}

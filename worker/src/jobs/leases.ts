import type { Database } from "../storage/database.ts";
import { type Job, jobOf } from "./job.ts";

/** `Evidence` of a row of `jobs`. */
const EVIDENCE =
  "CASE WHEN tee_id IS NOT NULL THEN 'enclave' WHEN is_optimistic THEN 'claim' ELSE 'proof' END";

const LEASE_JOBS = `WITH due AS (
  SELECT request_id, leased_by IS NOT DISTINCT FROM $3::text AS is_own
  FROM jobs
  WHERE state = $1
    AND CASE
      WHEN $1 = 'pending' THEN EXISTS (
        SELECT 1 FROM demands d WHERE d.request_id = jobs.request_id AND d.is_open AND d.proof IS NULL
      )
      ELSE transaction_id IS NULL
    END
    AND ($2::boolean IS NULL OR settle_alone = $2::boolean)
    AND ($11::text IS NULL OR left(request_id, 64) = $11)
    AND ($10::text IS NULL OR ${EVIDENCE} = $10::text)
    AND finalised_at IS NULL
    AND run_after <= now()
    AND (leased_until IS NULL OR leased_until < now() OR leased_by = $3)
    AND ($6::text[] IS NULL OR version_id = ANY ($6::text[]))
    AND claims BETWEEN $7 AND $8
  ORDER BY CASE WHEN $9::boolean THEN claims_alone ELSE 0 END, nonce
  LIMIT $5
  FOR UPDATE SKIP LOCKED
), leased AS (
  UPDATE jobs
  SET leased_by = $3,
      leased_until = now() + make_interval(secs => $4),
      claims = claims + CASE WHEN is_own THEN 0 ELSE 1 END,
      claims_alone = claims_alone + CASE WHEN is_own OR NOT $9::boolean THEN 0 ELSE 1 END,
      -- The rest that it has if this claim ends like the one before.
      run_after = CASE
        WHEN is_own OR claims = 0 THEN run_after
        ELSE now() + make_interval(secs => 5 * 2 ^ least(claims, 9))
      END
  FROM due
  WHERE jobs.request_id = due.request_id
  RETURNING jobs.request_id
)
SELECT job_records.*
FROM job_records
WHERE request_id IN (SELECT request_id FROM leased)
ORDER BY nonce::numeric`;

/**
 * Work that a role looks for. A job that has a transaction is the transaction's matter: see `transactionLeases.ts`. Of those
 * that are pending in a page only those are work whose proof is demanded, and not made yet.
 */
export type Stage = {
  state: "accepted" | "proven" | "pending";
  settleAlone?: boolean;
  /** what shows that the results are right; absent: whatever does */
  evidence?: Evidence;
};

/** A proof, the signature of an enclave, or the claim of a node that proves it on demand. */
export type Evidence = "proof" | "enclave" | "claim";

/** Which of the due jobs: those with so many claims that ended with their process; absent: all. */
export type Claims = { from: number; to: number };

/** As many as a count in the database can be. */
export const ANY_NUMBER = 2 ** 31 - 1;

/**
 * Leases up to `limit` due jobs, in order of their nonces, that nobody else holds. A lease that is neither
 * renewed nor released ends by itself: the jobs of a worker that died go to another.
 *
 * Each lease is counted as a claim until the job is given back or moves on: what stays counted is how many processes
 * died with the job in their hands. From the second such lease on, the job rests for a while if it happens again.
 *
 * An owner's own leases do not keep it out: each role works on one lot at a time, so that a lease which it still has
 * is one that it could not give back, because the database was away.
 */
export async function leaseJobs(parameters: {
  database: Database;
  owner: string;
  stage: Stage;
  limit: number;
  leaseSeconds: number;
  /** only jobs of these model versions */
  versionIds?: readonly string[];
  /** only jobs of this ledger page: what their request ids begin with */
  page?: string;
  claims?: Claims;
  /** whether the owner works on nothing else meanwhile; then the job that was tried so least often comes first */
  alone?: boolean;
}): Promise<Job[]> {
  const { database, owner, stage, limit, leaseSeconds, versionIds, alone = false } = parameters;
  const { from, to } = parameters.claims ?? { from: 0, to: ANY_NUMBER };
  const rows = await database.query(LEASE_JOBS, [
    stage.state,
    stage.settleAlone ?? null,
    owner,
    leaseSeconds,
    limit,
    versionIds ?? null,
    from,
    to,
    alone,
    stage.evidence ?? null,
    parameters.page ?? null,
  ]);
  return rows.map(jobOf);
}

const RENEW_LEASE = `UPDATE jobs
SET leased_until = now() + make_interval(secs => $3)
WHERE request_id = $1 AND leased_by = $2`;

/** Prolongs a lease that `owner` still holds. */
export async function renewLease(parameters: {
  database: Database;
  owner: string;
  requestId: string;
  leaseSeconds: number;
}): Promise<void> {
  const { database, owner, requestId, leaseSeconds } = parameters;
  await database.query(RENEW_LEASE, [requestId, owner, leaseSeconds]);
}

const RELEASE_JOBS = `UPDATE jobs
SET leased_by = NULL,
    leased_until = NULL,
    claims = 0,
    claims_alone = 0,
    last_error = coalesce($3, last_error),
    run_after = now() + make_interval(secs => $4),
    attempts = attempts + $5
WHERE request_id = ANY ($1::text[]) AND leased_by = $2`;

/** Gives leases back. With an error: notes it, and lets the jobs rest for `delaySeconds`. */
export async function releaseJobs(parameters: {
  database: Database;
  owner: string;
  requestIds: readonly string[];
  error?: string;
  delaySeconds?: number;
  /** whether this was one of the attempts that each has */
  countsAsAttempt?: boolean;
}): Promise<void> {
  const { database, owner, requestIds, error, delaySeconds, countsAsAttempt } = parameters;
  await database.query(RELEASE_JOBS, [
    [...requestIds],
    owner,
    error ?? null,
    delaySeconds ?? 0,
    countsAsAttempt === true ? 1 : 0,
  ]);
}

const UNCLAIM_JOB = `UPDATE jobs
SET leased_by = NULL,
    leased_until = NULL,
    run_after = now(),
    claims = greatest(claims - 1, 0),
    claims_alone = greatest(claims_alone - $3, 0)
WHERE request_id = $1 AND leased_by = $2`;

/** Gives a lease back as if it had not been taken: what was not brought to an end tells nothing of the job. */
export async function unclaimJob(parameters: {
  database: Database;
  owner: string;
  requestId: string;
  /** whether the owner worked on nothing else meanwhile */
  alone: boolean;
}): Promise<void> {
  const { alone, database, owner, requestId } = parameters;
  await database.query(UNCLAIM_JOB, [requestId, owner, alone ? 1 : 0]);
}

const LIST_WAITING = `SELECT
  ${EVIDENCE} AS evidence,
  CASE WHEN ${EVIDENCE} = 'proof' THEN version_id ELSE left(request_id, 64) END AS of_one,
  count(*)::integer AS jobs,
  (extract(epoch FROM now() - min(proven_at)) * 1000)::double precision AS oldest_ms
FROM jobs
WHERE state = 'proven'
  AND transaction_id IS NULL
  AND finalised_at IS NULL
  AND NOT settle_alone
  AND run_after <= now()
  AND (leased_until IS NULL OR leased_until < now() OR leased_by = $1)
  AND claims BETWEEN $2 AND $3
GROUP BY 1, 2
ORDER BY min(nonce)`;

/** What the request ids of one ledger page have in common. */
export const ledgerPrefixOf = (requestId: string): string => requestId.slice(0, 64);

/** Proven jobs that could share a transaction. */
export type Waiting = {
  evidence: Evidence;
  /** with proofs: their version; of others: their ledger page, as what their request ids begin with */
  ofOne: string;
  jobs: number;
  /** since the first of them was proven, by the database's clock */
  oldestMs: number;
};

/** What waits for a transaction that it may share, by version or page: what `owner` could lease. */
export async function listWaiting(parameters: {
  database: Database;
  owner: string;
  claims: Claims;
}): Promise<Waiting[]> {
  const { claims, database, owner } = parameters;
  const rows = await database.query(LIST_WAITING, [owner, claims.from, claims.to]);
  return rows.map((row) => ({
    evidence: row.evidence as Evidence,
    ofOne: row.of_one as string,
    jobs: Number(row.jobs),
    oldestMs: Number(row.oldest_ms),
  }));
}

const RELEASE_ALL = [
  "UPDATE jobs SET leased_by = NULL, leased_until = NULL WHERE leased_by IS NOT NULL",
  "UPDATE transactions SET leased_by = NULL, leased_until = NULL WHERE leased_by IS NOT NULL",
  "UPDATE demands SET send_after = now() WHERE send_after > now()",
];

/**
 * Ends every lease. Only for a database that one process has for itself: whoever held them is gone, and
 * waiting for their leases to run out would only delay the jobs.
 */
export async function releaseAllLeases(parameters: { database: Database }): Promise<void> {
  for (const statement of RELEASE_ALL) await parameters.database.query(statement);
}

const FIND_SUSPECT = `SELECT 1 FROM jobs
WHERE state = 'accepted'
  AND claims >= $1
  AND run_after <= now()
  AND (leased_until IS NULL OR leased_until < now())
  AND version_id = ANY ($2::text[])
LIMIT 1`;

/** Whether a job is due that so many processes died over, or beside. */
export async function hasSuspects(parameters: {
  database: Database;
  claims: number;
  versionIds: readonly string[];
}): Promise<boolean> {
  const { database, claims, versionIds } = parameters;
  return (await database.query(FIND_SUSPECT, [claims, versionIds])).length > 0;
}

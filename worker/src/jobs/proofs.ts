import type { Database } from "../storage/database.ts";
import type { JobState } from "./job.ts";

const RECORD_PROOF = `UPDATE jobs
SET state = 'proven',
    proof = $2,
    witness_ms = $3,
    prove_ms = $4,
    proven_at = now(),
    attempts = 0,
    last_error = NULL,
    leased_by = NULL,
    leased_until = NULL,
    claims = 0,
    claims_alone = 0,
    run_after = now()
WHERE request_id = $1 AND state = 'accepted'
RETURNING request_id`;

/** accepted -> proven. Returns whether this call made the transition. */
export async function recordProof(parameters: {
  database: Database;
  requestId: string;
  /** 256 bytes of hex; verified */
  proof: string;
  timings: { witnessMs: number; proveMs: number };
}): Promise<boolean> {
  const { database, requestId, proof, timings } = parameters;
  const rows = await database.query(RECORD_PROOF, [
    requestId,
    proof,
    timings.witnessMs,
    timings.proveMs,
  ]);
  return rows.length === 1;
}

const RECORD_FAILURE = `UPDATE jobs
SET state = 'failed',
    failure_code = $3,
    failure_message = $4,
    failed_at = now(),
    leased_by = NULL,
    leased_until = NULL,
    claims = 0,
    claims_alone = 0
WHERE request_id = $1 AND state = $2
RETURNING request_id`;

/** accepted, proven or submitted -> failed, with its reason. Returns whether this call made the transition. */
export async function recordFailure(parameters: {
  database: Database;
  requestId: string;
  from: Exclude<JobState, "settled" | "failed">;
  code: string;
  message: string;
}): Promise<boolean> {
  const { database, requestId, from, code, message } = parameters;
  return (await database.query(RECORD_FAILURE, [requestId, from, code, message])).length === 1;
}

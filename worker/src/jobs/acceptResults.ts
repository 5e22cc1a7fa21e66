import type { Database } from "../storage/database.ts";
import { columnsOf } from "./acceptJob.ts";
import { addVouchers, type KnownVoucher } from "./channels.ts";
import { addPayment, type HeldPayment } from "./heldPayments.ts";
import type { Job, NewJob } from "./job.ts";
import { findJobs } from "./readJobs.ts";

/** In the order of their ids, so that two that come at the same time cannot wait for each other. */
const INSERT_RESULTS = `INSERT INTO jobs (
  request_id, nonce, state, model, version, version_id, requester, price, answered_at, input_words, output_words,
  signature, tee_id, input_hash, output_hash, settle_alone, proven_at
)
SELECT request_id, nonce::numeric, 'proven', model, version, version_id, requester, price::numeric, answered_at::bigint,
  '{}', '{}', signature, tee_id, input_hash, output_hash, settle_alone, now()
FROM unnest(
  $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::text[], $11::text[], $12::text[], $13::boolean[]
) AS given (
  request_id, nonce, model, version, version_id, requester, price, answered_at, signature, tee_id, input_hash,
  output_hash, settle_alone
)
ORDER BY request_id`;
const INSERT_OTHERS = `${INSERT_RESULTS}
ON CONFLICT (request_id) DO NOTHING
RETURNING request_id`;
/** SQLSTATE of a row that is there already. */
const UNIQUE_VIOLATION = "23505";

/** A job, and by what it is paid. */
export type AcceptedJob = NewJob & {
  settleAlone: boolean;
  payment?: HeldPayment;
  voucher?: KnownVoucher;
};

/** What is known of a job that was taken in. */
export type TakenJob = Pick<Job, "requestId" | "state">;

/**
 * Inserts the jobs of results that enclaves have signed, with their evidence and so as proven; leaves alone what is there
 * under a request already. With a result its payment, or its voucher. All of them, or, where `check` throws over what is there then, none. On disk when this returns.
 */
export async function acceptResults(parameters: {
  database: Database;
  jobs: readonly AcceptedJob[];
  check: (jobs: ReadonlyMap<string, Job>) => void;
}): Promise<Map<string, TakenJob>> {
  const { check, database, jobs } = parameters;
  const values = [
    ...columnsOf(jobs),
    jobs.map(({ enclave }) => String(enclave?.teeId)),
    jobs.map(({ enclave }) => String(enclave?.inputHash)),
    jobs.map(({ enclave }) => String(enclave?.outputHash)),
    jobs.map(({ settleAlone }) => settleAlone),
  ];
  const requestIds = jobs.map(({ requestId }) => requestId);
  // A payment or a voucher comes into the queue with its result, or neither does.
  if (jobs.every(({ payment, voucher }) => payment === undefined && voucher === undefined)) {
    try {
      // A transaction of its own: all of them are new, or none is stored.
      await database.query(INSERT_RESULTS, values, "insert results");
      return proven(requestIds);
    } catch (error) {
      if ((error as { code?: unknown }).code !== UNIQUE_VIOLATION) throw error;
    }
  }
  return await database.transaction(async (tx) => {
    const rows = await tx.query(INSERT_OTHERS, values, "insert other results");
    const added = new Set(rows.map((row) => row.request_id as string));
    const others = requestIds.filter((requestId) => !added.has(requestId));
    const there = await findJobs({ database: tx, requestIds: others });
    check(there);
    for (const { payment, requestId } of jobs) {
      // A result that was here has had its payment, or has none.
      if (payment === undefined || !added.has(requestId)) continue;
      await addPayment({ database: tx, payment, requestId });
    }
    await addVouchers({ database: tx, jobs, added });
    return new Map<string, TakenJob>([...proven([...added]), ...there]);
  });
}

const proven = (requestIds: readonly string[]): Map<string, TakenJob> =>
  new Map(requestIds.map((requestId) => [requestId, { requestId, state: "proven" }]));

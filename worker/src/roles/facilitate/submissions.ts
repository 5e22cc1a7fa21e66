import type { Database, Row } from "../../storage/database.ts";
import { jobIdOf, messageHashOf, type Submission } from "./submission.ts";

/** Where a submission is on its way. */
export type SubmissionState = "queued" | "processing" | "succeeded" | "failed";

/** A submission as clients are told about it; times in ISO 8601. */
export type SubmissionJob = {
  jobId: string;
  queue: string;
  status: SubmissionState;
  createdAt: string;
  updatedAt: string;
  settlementType: Submission["kind"];
  result?: { success: true; transaction: string | null; merkleRoot?: string };
  error?: string;
  txHash?: string;
  walrusBlobId?: string;
};

const INSERT = `INSERT INTO submissions (
  job_id, kind, tee_id, input_hash, output_hash, tee_timestamp, tee_signature, message_hash, input, output, eth_address
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING`;

/**
 * Queues a submission that was verified. On disk when this returns. The same node's same message again, under whatever
 * signature, is the job that is there.
 */
export async function acceptSubmission(parameters: {
  database: Database;
  submission: Submission;
}): Promise<SubmissionJob> {
  const { database, submission } = parameters;
  const { individual, inputHash, kind, outputHash, teeId, teeSignature, timestamp } = submission;
  const jobId = jobIdOf(submission);
  await database.query(INSERT, [
    ...[jobId, kind, teeId, inputHash, outputHash, timestamp.toString(), teeSignature],
    messageHashOf(submission),
    individual?.input ?? null,
    individual?.output ?? null,
    individual?.ethAddress ?? null,
  ]);
  const job = await findSubmission({ database, jobId });
  if (job === undefined) throw new Error(`submission ${jobId} was stored and is not there`);
  return job;
}

const FIND = `SELECT
  s.job_id, s.kind, s.accepted_at, coalesce(c.updated_at, s.accepted_at) AS updated_at, c.state, c.blob_id,
  c.transaction_hash, c.failure, c.merkle_root
FROM submissions s
LEFT JOIN relayed_calls c ON c.id = s.call_id
WHERE s.job_id = $1`;

/** A submission by the id of its job. */
export async function findSubmission(parameters: {
  database: Database;
  jobId: string;
}): Promise<SubmissionJob | undefined> {
  const [row] = await parameters.database.query(FIND, [parameters.jobId]);
  return row && jobOf(row);
}

const STATES: Readonly<Record<string, SubmissionState>> = {
  formed: "queued",
  stored: "processing",
  sent: "processing",
  settled: "succeeded",
  failed: "failed",
};

function jobOf(row: Row): SubmissionJob {
  const kind = row.kind as Submission["kind"];
  const status = STATES[row.state as string] ?? "queued";
  const transaction = row.transaction_hash as string | null;
  return {
    jobId: row.job_id as string,
    queue: `settlement-${kind}`,
    status,
    createdAt: (row.accepted_at as Date).toISOString(),
    updatedAt: (row.updated_at as Date).toISOString(),
    settlementType: kind,
    ...(status === "succeeded"
      ? {
          result: {
            success: true,
            transaction,
            ...(row.merkle_root === null ? {} : { merkleRoot: row.merkle_root as string }),
          },
        }
      : {}),
    ...(row.failure === null ? {} : { error: row.failure as string }),
    ...(transaction === null ? {} : { txHash: transaction }),
    ...(row.blob_id === null ? {} : { walrusBlobId: row.blob_id as string }),
  };
}

const USAGE = `SELECT
  to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
  count(*)::integer AS accepted,
  count(*) FILTER (WHERE c.state = 'settled')::integer AS settled,
  count(*) FILTER (WHERE c.state = 'failed')::integer AS failed,
  count(DISTINCT c.id)::integer AS calls
FROM submissions s
LEFT JOIN relayed_calls c ON c.id = s.call_id
WHERE accepted_at >= now() - make_interval(days => $1)
GROUP BY day
ORDER BY day`;

/** What was accepted on each of the last days (UTC), and what has become of it. */
export async function readUsage(parameters: {
  database: Database;
  days: number;
}): Promise<{ day: string; accepted: number; settled: number; failed: number; calls: number }[]> {
  const rows = await parameters.database.query(USAGE, [parameters.days]);
  return rows.map(({ day, accepted, settled, failed, calls }) => ({
    day: day as string,
    accepted: Number(accepted),
    settled: Number(settled),
    failed: Number(failed),
    calls: Number(calls),
  }));
}

import type { Database } from "../storage/database.ts";
import { PAGE_COLUMNS, type ProposedPage, pageOf } from "./pages.ts";

/** A proof that is demanded of a result of an own page. */
export type Demand = {
  requestId: string;
  /** last second in which it is taken, in unix seconds */
  deadline: bigint;
};

/** A demand whose proof is there. */
export type Answer = Demand & { pageId: string; proof: string };

const CLAIM_DEMAND_LOOKS = `UPDATE pages SET demands_after = now() + make_interval(secs => $1)
WHERE page_id IN (
  SELECT page_id FROM pages
  WHERE kind = 3 AND state = 'pending' AND demands_after <= now()
  ORDER BY demands_after
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING ${PAGE_COLUMNS}`;

/** Pages whose demands it is time to read; nobody else does for so long. */
export async function claimDemandLooks(parameters: {
  database: Database;
  restSeconds: number;
  limit: number;
}): Promise<ProposedPage[]> {
  const { database, limit, restSeconds } = parameters;
  return (await database.query(CLAIM_DEMAND_LOOKS, [restSeconds, limit])).map(pageOf);
}

const NOTE_DEMANDS = `WITH seen AS (
  SELECT request_id, deadline::numeric FROM unnest($2::text[], $3::text[]) AS given (request_id, deadline)
), closed AS (
  UPDATE demands SET is_open = false
  WHERE page_id = $1 AND is_open AND request_id NOT IN (SELECT request_id FROM seen)
), known AS (
  SELECT request_id FROM demands WHERE is_open
), opened AS (
  INSERT INTO demands (request_id, page_id, deadline)
  SELECT seen.request_id, $1, seen.deadline
  FROM seen JOIN jobs USING (request_id)
  WHERE jobs.state = 'pending' AND jobs.page_id = $1
  ON CONFLICT (request_id) DO UPDATE SET is_open = true, deadline = excluded.deadline, page_id = excluded.page_id
  RETURNING request_id
)
SELECT request_id FROM opened WHERE request_id NOT IN (SELECT request_id FROM known)`;

/**
 * Notes what the chain shows of a page's demands: those that are not among them are closed, until a reorganisation shows them
 * again. Returns the requests of which nobody waited for a proof before.
 */
export async function noteDemands(parameters: {
  database: Database;
  pageId: string;
  demands: readonly Demand[];
}): Promise<string[]> {
  const { database, demands, pageId } = parameters;
  const rows = await database.query(NOTE_DEMANDS, [
    pageId,
    demands.map(({ requestId }) => requestId),
    demands.map(({ deadline }) => String(deadline)),
  ]);
  return rows.map(({ request_id }) => request_id as string);
}

const RECORD_PROOF = `WITH kept AS (
  UPDATE demands SET proof = $2, send_after = now() WHERE request_id = $1 AND proof IS NULL RETURNING request_id
), released AS (
  UPDATE jobs SET leased_by = NULL, leased_until = NULL, claims = 0, claims_alone = 0, attempts = 0, last_error = NULL
  WHERE request_id = $1 AND leased_by = $3
)
SELECT request_id FROM kept`;

/** Keeps the proof that is demanded, and gives the job's lease back. Returns whether this call was the first. */
export async function recordDemandedProof(parameters: {
  database: Database;
  requestId: string;
  /** 256 bytes of hex; verified */
  proof: string;
  owner: string;
}): Promise<boolean> {
  const { database, owner, proof, requestId } = parameters;
  return (await database.query(RECORD_PROOF, [requestId, proof, owner])).length === 1;
}

const CLAIM_ANSWERS = `UPDATE demands SET send_after = now() + make_interval(secs => $1)
WHERE request_id IN (
  SELECT request_id FROM demands
  WHERE is_open AND proof IS NOT NULL AND send_after <= now()
  ORDER BY deadline
  LIMIT $2
  FOR UPDATE SKIP LOCKED
)
RETURNING request_id, page_id, deadline::text, proof`;

/** Proofs that are to be sent, the most urgent first; nobody else sends them for so long. */
export async function claimAnswers(parameters: {
  database: Database;
  restSeconds: number;
  limit: number;
}): Promise<Answer[]> {
  const { database, limit, restSeconds } = parameters;
  const rows = await database.query(CLAIM_ANSWERS, [restSeconds, limit]);
  return rows
    .map((row) => ({
      requestId: row.request_id as string,
      pageId: row.page_id as string,
      deadline: BigInt(row.deadline as string),
      proof: row.proof as string,
    }))
    .sort((a, b) => (a.deadline < b.deadline ? -1 : 1));
}

/** Lets an answer that was not sent be sent after so many seconds, by whoever comes then. */
export async function releaseAnswer(parameters: {
  database: Database;
  requestId: string;
  delaySeconds: number;
}): Promise<void> {
  const { database, delaySeconds, requestId } = parameters;
  const statement =
    "UPDATE demands SET send_after = now() + make_interval(secs => $2) WHERE request_id = $1";
  await database.query(statement, [requestId, delaySeconds]);
}

/** Notes that the chain has no such demand any more. */
export async function closeDemand(parameters: {
  database: Database;
  requestId: string;
}): Promise<void> {
  const { database, requestId } = parameters;
  await database.query("UPDATE demands SET is_open = false WHERE request_id = $1", [requestId]);
}

const COUNT_DEMANDS = `SELECT count(*)::integer AS open,
  (min(deadline) - extract(epoch FROM now()))::double precision AS seconds_left
FROM demands
WHERE is_open`;

/** Demands that are open, and the seconds that are left of the nearest, below zero after its time; null without one. */
export async function countDemands(parameters: {
  database: Database;
}): Promise<{ open: number; secondsLeft: number | null }> {
  const [row] = await parameters.database.query(COUNT_DEMANDS);
  const left = row?.seconds_left;
  return { open: Number(row?.open), secondsLeft: left == null ? null : Math.round(Number(left)) };
}

const LIST_CLAIMED = `SELECT model, version, version_id, count(*)::integer AS jobs
FROM jobs
WHERE is_optimistic AND state IN ('proven', 'submitted', 'pending')
GROUP BY model, version, version_id`;

/** Versions of which a proof can be demanded, or soon will be, and of how many results. */
export async function listClaimedVersions(parameters: {
  database: Database;
}): Promise<{ model: string; version: string; versionId: string; jobs: number }[]> {
  return (await parameters.database.query(LIST_CLAIMED)).map((row) => ({
    model: row.model as string,
    version: row.version as string,
    versionId: row.version_id as string,
    jobs: Number(row.jobs),
  }));
}

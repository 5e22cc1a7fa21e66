import { legacyRoot } from "@haca/protocol/blobs/legacyBlob";
import type { Database, Queryable, Row } from "../../storage/database.ts";
import type { Submission } from "./submission.ts";

/** A call of the relay contract that is under way, with the submissions that it is for. */
export type RelayedCall = {
  id: string;
  kind: Submission["kind"];
  state: "formed" | "stored" | "sent" | "settled";
  /** of a batch */
  merkleRoot: string | null;
  blobId: string | null;
  transactionHash: string | null;
  attempts: number;
  /** in the order of their acceptance */
  submissions: readonly Submission[];
};

/** When a batch is closed: at this many submissions, or when one has waited so long, or none has come for so long. */
export type BatchLimits = { size: number; maximumAgeSeconds: number; idleSeconds: number };

/** Any constant: the key of the lock under which batches are formed one after the other. */
const FORMING_LOCK = 4_919_034;
const SUBMISSION_COLUMNS =
  "id::text, kind, tee_id, input_hash, output_hash, tee_timestamp::text, tee_signature, input, output, eth_address, call_id::text";
const WAITING = `SELECT ${SUBMISSION_COLUMNS} FROM submissions
WHERE call_id IS NULL AND kind = $1
ORDER BY submissions.id
LIMIT $2`;
const IS_DUE = `SELECT
  min(accepted_at) <= now() - make_interval(secs => $1) OR max(accepted_at) <= now() - make_interval(secs => $2) AS due
FROM submissions WHERE call_id IS NULL AND kind = 'batch'`;
const INSERT_CALL = `INSERT INTO relayed_calls (kind, size, merkle_root) VALUES ($1, $2, $3) RETURNING id::text`;
const ASSIGN = "UPDATE submissions SET call_id = $1 WHERE id = ANY ($2::bigint[])";

/**
 * Makes calls of what waits: each individual submission one, batches as the limits say. What a call is for is fixed from
 * then on, so that its blob and its root are the same however often they are made. Returns how many were made.
 */
export async function formCalls(parameters: {
  database: Database;
  limits: BatchLimits;
}): Promise<number> {
  const { database, limits } = parameters;
  return await database.transaction(async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock($1)", [FORMING_LOCK]);
    let formed = 0;
    for (const row of await tx.query(WAITING, ["individual", limits.size])) {
      await form({ tx, kind: "individual", rows: [row] });
      formed += 1;
    }
    const rows = await tx.query(WAITING, ["batch", limits.size]);
    if (rows.length === 0) return formed;
    const values = [limits.maximumAgeSeconds, limits.idleSeconds];
    const isDue = rows.length >= limits.size || (await tx.query(IS_DUE, values))[0]?.due === true;
    if (!isDue) return formed;
    await form({ tx, kind: "batch", rows });
    return formed + 1;
  });
}

async function form(parameters: {
  tx: Queryable;
  kind: Submission["kind"];
  rows: readonly Row[];
}): Promise<void> {
  const { tx, kind, rows } = parameters;
  const root = kind === "batch" ? legacyRoot(rows.map(submissionOf)) : null;
  const [call] = await tx.query(INSERT_CALL, [kind, rows.length, root]);
  await tx.query(ASSIGN, [call?.id, rows.map(({ id }) => id)]);
}

const LEASE = `UPDATE relayed_calls
SET leased_by = $1, leased_until = now() + make_interval(secs => $2)
WHERE id IN (
  SELECT id FROM relayed_calls
  WHERE state NOT IN ('settled', 'failed')
    AND run_after <= now()
    AND (leased_until IS NULL OR leased_until < now() OR leased_by = $1)
  ORDER BY run_after, id
  LIMIT $3
  FOR UPDATE SKIP LOCKED
)
RETURNING id::text, kind, state, merkle_root, blob_id, transaction_hash, attempts`;
const OF_CALLS = `SELECT ${SUBMISSION_COLUMNS} FROM submissions
WHERE call_id = ANY ($1::bigint[])
ORDER BY submissions.id`;

/** Leases due calls, those first that have rested longest. A lease of a process that died ends by itself. */
export async function leaseCalls(parameters: {
  database: Database;
  owner: string;
  leaseSeconds: number;
  limit: number;
}): Promise<RelayedCall[]> {
  const { database, owner, leaseSeconds, limit } = parameters;
  const rows = await database.query(LEASE, [owner, leaseSeconds, limit]);
  return await readRelayedCalls({ database, rows });
}

/** Calls of rows with the columns that `LEASE` returns, with their submissions, in the order of their ids. */
export async function readRelayedCalls(parameters: {
  database: Database;
  rows: readonly Row[];
}): Promise<RelayedCall[]> {
  const { database, rows } = parameters;
  const submissions = await database.query(OF_CALLS, [rows.map(({ id }) => id)]);
  return rows
    .map((row) => ({
      id: row.id as string,
      kind: row.kind as RelayedCall["kind"],
      state: row.state as RelayedCall["state"],
      merkleRoot: row.merkle_root as string | null,
      blobId: row.blob_id as string | null,
      transactionHash: row.transaction_hash as string | null,
      attempts: Number(row.attempts),
      submissions: submissions.filter(({ call_id }) => call_id === row.id).map(submissionOf),
    }))
    .sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
}

function submissionOf(row: Row): Submission {
  const base = {
    kind: row.kind as Submission["kind"],
    teeId: row.tee_id as string,
    inputHash: row.input_hash as string,
    outputHash: row.output_hash as string,
    timestamp: BigInt(row.tee_timestamp as string),
    teeSignature: row.tee_signature as string,
  };
  if (base.kind === "batch") return base;
  const { eth_address: ethAddress, input, output } = row;
  return {
    ...base,
    individual: {
      ethAddress: ethAddress as string,
      input: input as string,
      output: output as string,
    },
  };
}

/** Ends every lease, in a database that one process has for itself: whoever held them is gone. */
export async function releaseAllCalls(parameters: { database: Database }): Promise<void> {
  await parameters.database.query(
    "UPDATE relayed_calls SET leased_by = NULL, leased_until = NULL WHERE leased_by IS NOT NULL",
  );
}

/** What a step has made of a call. */
export type CallChange =
  | { state: "stored"; blobId: string }
  | { state: "sent"; transactionHash: string }
  | { state: "settled"; transactionHash: string | null }
  | { state: "failed"; failure: string };

const CHANGE = `UPDATE relayed_calls
SET state = $3::text,
    blob_id = coalesce($4::text, blob_id),
    stored_at = CASE WHEN $3::text = 'stored' THEN now() ELSE stored_at END,
    transaction_hash = CASE WHEN $3::text IN ('sent', 'settled') THEN $5::text ELSE transaction_hash END,
    failure = $6::text,
    last_error = NULL,
    updated_at = now(),
    leased_until = CASE WHEN $3::text IN ('settled', 'failed') THEN NULL ELSE leased_until END
WHERE id = $1 AND leased_by = $2 AND state NOT IN ('settled', 'failed')`;

/** Records what became of a call that `owner` has leased; nothing where the lease has gone to somebody else. */
export async function changeCall(parameters: {
  database: Database;
  owner: string;
  id: string;
  change: CallChange;
}): Promise<void> {
  const { database, owner, id, change } = parameters;
  await database.query(CHANGE, [
    ...[id, owner, change.state],
    "blobId" in change ? change.blobId : null,
    "transactionHash" in change ? change.transactionHash : null,
    "failure" in change ? change.failure : null,
  ]);
}

const RELEASE = `UPDATE relayed_calls
SET leased_by = NULL,
    leased_until = NULL,
    state = CASE WHEN state = 'sent' AND $5::boolean THEN 'stored' ELSE state END,
    last_error = coalesce($3::text, last_error),
    attempts = attempts + CASE WHEN $3::text IS NULL THEN 0 ELSE 1 END,
    run_after = now() + make_interval(secs => $4)
WHERE id = $1 AND leased_by = $2`;

/** Gives a lease back; with an error, notes it and lets the call rest. */
export async function releaseCall(parameters: {
  database: Database;
  owner: string;
  id: string;
  error?: string;
  delaySeconds?: number;
  /** whether its transaction is gone, so that another has to be sent */
  isUnsent?: boolean;
}): Promise<void> {
  const { database, owner, id, error, delaySeconds = 0, isUnsent = false } = parameters;
  await database.query(RELEASE, [id, owner, error ?? null, delaySeconds, isUnsent]);
}

const COUNT = `SELECT
  (SELECT count(*) FROM submissions WHERE call_id IS NULL)::integer AS waiting,
  count(*)::integer AS open,
  max(last_error) AS last_error
FROM relayed_calls WHERE state NOT IN ('settled', 'failed')`;

/** What is on its way, for `/health`. */
export async function countOpenCalls(parameters: {
  database: Database;
}): Promise<{ waiting: number; open: number; lastError: string | null }> {
  const [row] = await parameters.database.query(COUNT);
  return {
    waiting: Number(row?.waiting),
    open: Number(row?.open),
    lastError: (row?.last_error ?? null) as string | null,
  };
}

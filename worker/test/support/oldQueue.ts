import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../../src/storage/database.ts";

const MIGRATIONS = join(import.meta.dirname, "../../src/storage/migrations");
/** Of the time when a job had one transaction. */
const OLD = 3;

/** The schema as it was at a version: everything else that the database holds is gone. */
export async function restoreOldSchema(database: Database, version = OLD): Promise<void> {
  await database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  await database.execute(
    "CREATE TABLE migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
  );
  for (const name of readdirSync(MIGRATIONS).sort()) {
    const number = Number(name.slice(0, 3));
    if (number > version) break;
    await database.execute(readFileSync(join(MIGRATIONS, name), "utf8"));
    await database.query("INSERT INTO migrations (version) VALUES ($1)", [number]);
  }
}

/** Statements of the worker of that time, by the operations that had them, word for word. */
const INSERT_JOB = `INSERT INTO jobs (
  request_id, nonce, model, version, version_id, requester, price, answered_at, input_words, output_words,
  signature
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;
const RECORD_PROOF = `UPDATE jobs
SET state = 'proven', proof = $2, witness_ms = $3, prove_ms = $4, proven_at = now(), attempts = 0, last_error = NULL,
    leased_by = NULL, leased_until = NULL, claims = 0, claims_alone = 0, run_after = now()
WHERE request_id = $1 AND state = 'accepted'
RETURNING request_id`;
const INSERT_TRANSACTION =
  "INSERT INTO transactions (hash, nonce, raw, request_id, purpose) VALUES ($1, $2, $3, $4, $5)";
const TIE_TO_JOB = "UPDATE jobs SET transaction_hash = $2 WHERE request_id = $1";
const RECORD_BROADCAST = `WITH sent AS (
  UPDATE transactions SET broadcast_at = now() WHERE hash = $2
)
UPDATE jobs
SET state = 'submitted', submitted_at = now(), attempts = 0, last_error = NULL
WHERE request_id = $1 AND transaction_hash = $2 AND state = 'proven'
RETURNING request_id`;
const MARK_REPLACED = `UPDATE transactions SET replaced_at = now()
WHERE hash = $1 AND replaced_at IS NULL AND dropped_at IS NULL AND block_number IS NULL
RETURNING nonce, request_id, purpose`;
const TIE_REPLACEMENT = `UPDATE jobs SET transaction_hash = $2
WHERE transaction_hash = $1 AND state IN ('proven', 'submitted')`;
const RECORD_FILLER = `INSERT INTO transactions (hash, nonce, raw, purpose)
SELECT $1, $2, $3, 'gap'
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE nonce = $2 AND dropped_at IS NULL)
ON CONFLICT (hash) DO UPDATE SET dropped_at = NULL, broadcast_at = NULL
RETURNING hash`;
const PROMOTE = [
  `UPDATE transactions SET replaced_at = now()
WHERE nonce = (SELECT nonce FROM transactions WHERE hash = $1)
  AND hash <> $1 AND replaced_at IS NULL AND dropped_at IS NULL`,
  "UPDATE transactions SET replaced_at = NULL WHERE hash = $1 AND dropped_at IS NULL",
  `UPDATE jobs SET transaction_hash = $1
WHERE request_id = (SELECT request_id FROM transactions WHERE hash = $1) AND state = 'submitted'`,
];
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
const RECORD_MINED = `UPDATE transactions SET block_number = $2, block_hash = $3, gas_used = $4
WHERE hash = $1 AND block_number IS NULL
RETURNING hash`;
const RECORD_SETTLEMENT = `WITH mined AS (
  UPDATE transactions
  SET block_number = $3, block_hash = $4, gas_used = $5
  WHERE hash = $2
)
UPDATE jobs
SET state = 'settled', settled_at = now(), last_error = NULL, leased_by = NULL, leased_until = NULL,
    claims = 0, claims_alone = 0, run_after = now()
WHERE request_id = $1 AND transaction_hash = $2 AND state = 'submitted'
RETURNING request_id`;
const RECORD_EXTERNAL = `WITH settled AS (
  UPDATE jobs
  SET state = 'settled', settled_at = now(), seen_at_block = $2, transaction_hash = NULL, last_error = NULL,
      leased_by = NULL, leased_until = NULL, claims = 0, claims_alone = 0, run_after = now()
  WHERE request_id = $1 AND state IN ('proven', 'submitted')
  RETURNING request_id
), dropped AS (
  UPDATE transactions
  SET dropped_at = now()
  WHERE request_id IN (SELECT request_id FROM settled) AND dropped_at IS NULL AND block_number IS NULL
)
SELECT request_id FROM settled`;
const RECORD_FAILURE = `UPDATE jobs
SET state = 'failed', failure_code = $3, failure_message = $4, failed_at = now(), leased_by = NULL, leased_until = NULL,
    claims = 0, claims_alone = 0
WHERE request_id = $1 AND state = $2
RETURNING request_id`;
const FINALISE = `UPDATE jobs
SET finalised_at = now()
FROM transactions t
WHERE t.hash = jobs.transaction_hash AND jobs.state = 'settled' AND jobs.finalised_at IS NULL AND t.block_number <= $1
RETURNING jobs.request_id`;
const LEASE = `UPDATE jobs
SET leased_by = $2, leased_until = now() + make_interval(secs => 60), claims = claims + 1, last_error = 'an error'
WHERE request_id = $1`;

const requestIdOf = (nonce: number): string => `0x${nonce.toString(16).padStart(64, "0")}`;
const rawOf = (hash: string): string => `raw of ${hash}`;

/** What the worker of that time did to its database. */
export class OldQueue {
  readonly #database: Database;
  #nonce = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async accept(): Promise<string> {
    const nonce = this.#nonce;
    this.#nonce += 1;
    const requestId = requestIdOf(nonce);
    const words = [["1", "2"], ["3"]];
    const values = [
      requestId,
      nonce,
      "digits",
      "1.0",
      "0x11",
      "0x00",
      "7",
      "1800000000",
      ...words,
      "0x22",
    ];
    await this.#database.query(INSERT_JOB, values);
    return requestId;
  }

  async prove(): Promise<string> {
    const requestId = await this.accept();
    await this.#database.query(RECORD_PROOF, [requestId, "0x33", 1, 2]);
    return requestId;
  }

  /** A transaction of a proven job, or of another purpose. */
  async sign(nonce: number, requestId: string | null, purpose = "settlement"): Promise<string> {
    const hash = `${purpose} ${nonce}`;
    const values = [hash, nonce, rawOf(hash), requestId, purpose];
    await this.#database.query(INSERT_TRANSACTION, values);
    if (requestId !== null) await this.#database.query(TIE_TO_JOB, [requestId, hash]);
    return hash;
  }

  /** A proven job whose transaction was sent. */
  async submit(nonce: number): Promise<{ requestId: string; hash: string }> {
    const requestId = await this.prove();
    const hash = await this.sign(nonce, requestId);
    await this.#database.query(RECORD_BROADCAST, [requestId, hash]);
    return { requestId, hash };
  }

  async replace(replaced: string, hash: string): Promise<string> {
    const [row] = await this.#database.query(MARK_REPLACED, [replaced]);
    const values = [hash, row?.nonce, rawOf(hash), row?.request_id, row?.purpose];
    await this.#database.query(INSERT_TRANSACTION, values);
    await this.#database.query(TIE_REPLACEMENT, [replaced, hash]);
    return hash;
  }

  async promote(hash: string): Promise<void> {
    for (const statement of PROMOTE) await this.#database.query(statement, [hash]);
  }

  async fill(nonce: number, hash: string): Promise<void> {
    await this.#database.query(RECORD_FILLER, [hash, nonce, rawOf(hash)]);
  }

  async drop(hash: string): Promise<void> {
    await this.#database.query(DROP_TRANSACTION, [hash, "another transaction took the nonce"]);
  }

  async mine(hash: string, block: number): Promise<void> {
    await this.#database.query(RECORD_MINED, [hash, block, `block ${block}`, "21000"]);
  }

  async settle(job: { requestId: string; hash: string }, block: number): Promise<void> {
    const values = [job.requestId, job.hash, block, `block ${block}`, "250000"];
    await this.#database.query(RECORD_SETTLEMENT, values);
  }

  async settleElsewhere(requestId: string): Promise<void> {
    await this.#database.query(RECORD_EXTERNAL, [requestId, 9]);
  }

  async fail(requestId: string, from: string): Promise<void> {
    await this.#database.query(RECORD_FAILURE, [requestId, from, "a.code", "why"]);
  }

  async finalise(block: number): Promise<void> {
    await this.#database.query(FINALISE, [block]);
  }

  /** A process takes a job on, and keeps it. */
  async lease(requestId: string, owner: string): Promise<void> {
    await this.#database.query(LEASE, [requestId, owner]);
  }
}

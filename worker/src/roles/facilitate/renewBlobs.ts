import { BlobError } from "@haca/protocol/blobs/blobError";
import { type BlobStore, putAndReadBack } from "@haca/protocol/blobs/blobStore";
import type { Logger } from "pino";
import { describeError, RetryableError } from "../../errors.ts";
import type { Database } from "../../storage/database.ts";
import { encodeCallBlob } from "./relayContract.ts";
import { readRelayedCalls } from "./relayedCalls.ts";

/** Blobs that a pass renews. */
const LOT = 4;
/** Rest after a failure: storage is paid for far ahead. */
const REST_SECONDS = 300;

export type RenewContext = {
  database: Database;
  blobs: BlobStore;
  /** name under which this process leases calls */
  owner: string;
  leaseSeconds: number;
  /** seconds after which a content is stored again: less than the epochs that are paid for */
  renewSeconds: number;
  /** seconds from its forming for which a call's content is kept */
  keepSeconds: number;
  logger: Logger;
};

const LEASE = `UPDATE relayed_calls
SET leased_by = $1, leased_until = now() + make_interval(secs => $2)
WHERE id IN (
  SELECT id FROM relayed_calls
  WHERE state = 'settled'
    AND run_after <= now()
    AND stored_at <= now() - make_interval(secs => $3)
    AND formed_at >= now() - make_interval(secs => $4)
    AND (leased_until IS NULL OR leased_until < now() OR leased_by = $1)
  ORDER BY stored_at, id
  LIMIT $5
  FOR UPDATE SKIP LOCKED
)
RETURNING id::text, kind, state, merkle_root, blob_id, transaction_hash, attempts`;
const RENEWED = `UPDATE relayed_calls
SET stored_at = now(), leased_by = NULL, leased_until = NULL, last_error = NULL
WHERE id = $1 AND leased_by = $2`;
const REST = `UPDATE relayed_calls
SET leased_by = NULL, leased_until = NULL, last_error = $3, run_after = now() + make_interval(secs => $4)
WHERE id = $1 AND leased_by = $2`;

/**
 * Has contents of settled calls stored again before their epochs end, for as long as they are kept. Storing the same again
 * is how a publisher prolongs it, and costs nothing where it is stored for as long already. They are made anew from what was
 * accepted, so that a store which has lost them has them again.
 */
export function createRenewPass(context: RenewContext): () => Promise<boolean> {
  const { blobs, database, keepSeconds, leaseSeconds, logger, owner, renewSeconds } = context;
  return async () => {
    const values = [owner, leaseSeconds, renewSeconds, keepSeconds, LOT];
    const calls = await readRelayedCalls({ database, rows: await database.query(LEASE, values) });
    for (const call of calls) {
      try {
        const { id: blobId } = await putAndReadBack({ store: blobs, bytes: encodeCallBlob(call) });
        requireSameId({ expected: call.blobId, actual: blobId });
        await database.query(RENEWED, [call.id, owner]);
        logger.info({ call: call.id, blobId }, "blob renewed");
      } catch (error) {
        if (!(error instanceof RetryableError || error instanceof BlobError)) throw error;
        const words = `${error.code}: ${describeError(error)}`;
        logger.warn(
          { call: call.id, blobId: call.blobId, error: words },
          "blob not renewed: later",
        );
        await database.query(REST, [call.id, owner, words, REST_SECONDS]);
      }
    }
    return calls.length > 0;
  };
}

/** The chain names the first one: what is stored under another is no renewal. */
function requireSameId(parameters: { expected: string | null; actual: string }): void {
  const { actual, expected } = parameters;
  if (actual === expected) return;
  throw new BlobError({
    code: "blob.otherId",
    message: `the store has the content of blob ${expected} as ${actual}`,
  });
}

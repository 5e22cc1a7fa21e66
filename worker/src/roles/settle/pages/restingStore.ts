import { BlobError } from "@haca/protocol/blobs/blobError";
import type { BlobStore } from "@haca/protocol/blobs/blobStore";
import { backoffMs } from "../../../repeat.ts";

const BACKOFF = { baseMs: 1_000, maximumMs: 60_000 };

/**
 * A store that is left alone for a while after each failure: everything is refused at once then, so that what needs no blob
 * does not wait behind a publisher that hangs.
 */
export function restingStore(
  store: BlobStore,
  now: () => number = () => performance.now(),
): BlobStore {
  let failures = 0;
  let restUntil = 0;
  let last: BlobError | undefined;
  const attempt = async <Result>(operation: () => Promise<Result>): Promise<Result> => {
    if (last !== undefined && now() < restUntil) {
      const message = `left alone for a while after a failure: ${last.message}`;
      throw new BlobError({ code: last.code, message, cause: last });
    }
    try {
      const result = await operation();
      failures = 0;
      return result;
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
      failures += 1;
      last = error;
      restUntil = now() + backoffMs({ ...BACKOFF, failures });
      throw error;
    }
  };
  return {
    put: (parameters) => attempt(() => store.put(parameters)),
    read: (parameters) => attempt(() => store.read(parameters)),
  };
}

import { BaseError } from "@haca/protocol/baseError";
import { BlobError, type BlobErrorCode } from "@haca/protocol/blobs/blobError";
import { blobIdFromWord } from "@haca/protocol/blobs/blobId";
import type { BlobStore } from "@haca/protocol/blobs/blobStore";
import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import { MAXIMUM_PAGE_BYTES, type PageResult, withPageRoot } from "@haca/protocol/blobs/pageBlob";
import type { settlementDomain } from "@haca/protocol/inferenceResult";

/** Indexing stands still meanwhile. */
const TIMEOUT_MS = 5_000;
/** How long a store that did not answer is not asked again. */
const REST_MS = 30_000;
/** The store is away, and would not answer the next question either. */
const AWAY: readonly BlobErrorCode[] = ["blob.unreachable", "blob.timeout", "blob.serverFailed"];

/** What a store has for a page. Nothing of it is believed that the page's root does not say. */
export type Reading =
  | { blob: "read"; blobError: null; results: readonly PageResult[] }
  | { blob: "missing" | "wrong"; blobError: string }
  | { blob: "unread"; blobError: null };

export type PageToRead = {
  nodeAddress: string;
  number: bigint;
  bitmap: bigint;
  /** leaves that were proved, and have no row of the page */
  proved: bigint;
  root: string;
  blobId: string;
};

/**
 * Reads the results that pages took. Never throws: whatever a proposer or a store makes of a blob, the indexer says so and
 * goes on. A store that is away is left alone for a while, so that it holds up the rest as little as can be.
 */
export function createResultReader(parameters: {
  /** undefined: no blob is read */
  aggregator: string | undefined;
  domain: ReturnType<typeof settlementDomain>;
  now?: () => number;
}): (page: PageToRead) => Promise<Reading> {
  const { aggregator, domain, now = () => performance.now() } = parameters;
  if (aggregator === undefined) return async () => ({ blob: "unread", blobError: null });
  const store: BlobStore = createHttpBlobStore({
    ...{ aggregator, publisher: aggregator, epochs: 1 },
    // The root decides about the content, whatever the store makes of it.
    ids: "walrus",
    ...{ timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_PAGE_BYTES },
  });
  let away: { until: number; code: string } | undefined;

  return async (page) => {
    if (away !== undefined && now() < away.until) return { blob: "missing", blobError: away.code };
    try {
      const { nodeAddress: node, number, proved, root } = page;
      // What was proved is settled alone.
      const bitmap = page.bitmap & ~proved;
      const check = withPageRoot({ domain, root, node, page: number, bitmap });
      const { results } = await store.read({ id: blobIdFromWord(page.blobId), check });
      const isTaken = ({ index }: PageResult) => (bitmap >> BigInt(index)) % 2n === 1n;
      return { blob: "read", blobError: null, results: results.filter(isTaken) };
    } catch (error) {
      if (error instanceof BlobError && error.isRetryable) {
        const { code } = error;
        if (AWAY.includes(code)) away = { until: now() + REST_MS, code };
        return { blob: "missing", blobError: code };
      }
      const blobError = error instanceof BaseError ? error.code : "blob.malformed";
      return { blob: "wrong", blobError };
    }
  };
}

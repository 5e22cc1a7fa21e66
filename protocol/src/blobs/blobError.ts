import { BaseError } from "../baseError.ts";

/**
 * What goes wrong with a blob store. Retryable: the same request may succeed later, at the same servers. What is not, a
 * person has to look at, or another server has to be asked.
 */
const RETRYABLE = {
  /** no connection, or it broke before the answer was whole */
  "blob.unreachable": true,
  "blob.truncated": true,
  "blob.timeout": true,
  /** status 5xx, 408 or 429 */
  "blob.serverFailed": true,
  /** status 404: not there yet, no longer, or never */
  "blob.notFound": true,
  /** success without the fields that the interface has */
  "blob.malformedAnswer": true,
  /** any other status that is no success */
  "blob.refused": false,
  "blob.tooLarge": false,
  "blob.badId": false,
  /** the publisher names another blob than the one that it was sent */
  "blob.otherId": false,
  /** the content is not what its id, hash or root says */
  "blob.otherContent": false,
  /** the content is what was asked for, and no blob of that format */
  "blob.malformed": false,
} as const;

export type BlobErrorCode = keyof typeof RETRYABLE;

export class BlobError extends BaseError {
  declare readonly code: BlobErrorCode;

  constructor(parameters: { code: BlobErrorCode; message: string; cause?: unknown }) {
    super(parameters);
  }

  get isRetryable(): boolean {
    return RETRYABLE[this.code];
  }
}

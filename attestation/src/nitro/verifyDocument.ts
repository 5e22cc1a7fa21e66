import { isSignedBy } from "./isSignedBy.ts";
import { type DocumentResult, judgeDocument } from "./judgeDocument.ts";

/**
 * `judgeDocument` with Node's cryptography.
 * @throws EvidenceError where the bytes are no document
 */
export const verifyDocument = (parameters: {
  bytes: Uint8Array;
  now: bigint;
  rootFingerprint?: string;
}): DocumentResult => judgeDocument({ ...parameters, isSignedBy });

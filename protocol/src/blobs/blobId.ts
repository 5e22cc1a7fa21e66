import { createHash } from "node:crypto";
import { hexlify, isHexString, toUtf8Bytes, toUtf8String } from "ethers";
import { BlobError } from "./blobError.ts";

/**
 * Ids of blobs: 32 bytes as 43 characters of base64url without padding, in every store.
 *
 * - Of a folder server: the SHA-256 of the content. Whoever has the content has checked the id.
 * - Of Walrus: the root of its erasure code (RedStuff) over the content. That cannot be recomputed without the encoder
 *   and the number of storage nodes, so that there an id says nothing about bytes in hand: what is read is checked
 *   against a hash or a root that the reader brings, and the id against reading back.
 */
export type BlobIds = "sha256" | "walrus";

const BLOB_ID = /^[A-Za-z0-9_-]{43}$/;

/** Whether a text is a blob id; one that decodes to 32 bytes in no other spelling. */
export const isBlobId = (text: string): boolean =>
  BLOB_ID.test(text) && Buffer.from(text, "base64url").toString("base64url") === text;

/** Id under which a folder server has a content. */
export const contentId = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("base64url");

/** The id as a `bytes32` of a contract. Error: `blob.badId`. */
export function blobIdToWord(id: string): string {
  requireBlobId(id);
  return hexlify(Buffer.from(id, "base64url"));
}

/** The id that a `bytes32` of a contract stands for. Error: `blob.badId`. */
export function blobIdFromWord(word: string): string {
  if (!isHexString(word, 32)) throw badId(word);
  return Buffer.from(word.slice(2), "hex").toString("base64url");
}

/** The id as legacy contracts keep it: the bytes of its text. Error: `blob.badId`. */
export function blobIdToLegacyBytes(id: string): string {
  requireBlobId(id);
  return hexlify(toUtf8Bytes(id));
}

/** The id that a legacy event's bytes stand for. Error: `blob.badId`. */
export function blobIdFromLegacyBytes(bytes: string): string {
  let id: string;
  try {
    id = toUtf8String(bytes);
  } catch (cause) {
    throw badId(bytes, cause);
  }
  requireBlobId(id);
  return id;
}

/** Error: `blob.badId`. */
export function requireBlobId(id: string): void {
  if (!isBlobId(id)) throw badId(id);
}

function badId(text: string, cause?: unknown): BlobError {
  return new BlobError({
    code: "blob.badId",
    message: `a blob id is 32 bytes in base64url, 43 characters, got ${JSON.stringify(text.slice(0, 100))}`,
    cause,
  });
}

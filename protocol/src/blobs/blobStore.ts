import { sha256 } from "ethers";
import { BlobError } from "./blobError.ts";

/** Reads a content, or refuses it: returns what it means only where it is what was asked for. */
export type BlobCheck<Content> = (bytes: Uint8Array) => Content;

export type StoredBlob = {
  id: string;
  /** false where the store had the content already */
  isNew: boolean;
};

/** Where blobs are kept. Every failure is a `BlobError`. */
export type BlobStore = {
  /**
   * Has the content stored, and returns its id once the store says that it is. That is the publisher's word alone: read it
   * back before relying on it.
   */
  put(parameters: { bytes: Uint8Array }): Promise<StoredBlob>;
  /**
   * Reads a content. Nothing comes back unchecked: `check` compares it with a hash or root that the caller knows.
   * Errors: those of `check`, which should be `blob.otherContent` and `blob.malformed`.
   */
  read<Content>(parameters: { id: string; check: BlobCheck<Content> }): Promise<Content>;
};

/** The check of a content by its SHA-256, 0x and 64 hex digits. */
export function withSha256(expected: string): BlobCheck<Uint8Array> {
  return (bytes) => {
    const actual = sha256(bytes);
    if (actual === expected.toLowerCase()) return bytes;
    throw new BlobError({
      code: "blob.otherContent",
      message: `the blob's content has SHA-256 ${actual}, expected ${expected}`,
    });
  };
}

/** Stores a content and reads it back: what this returns was there, whole, a moment ago. */
export async function putAndReadBack(parameters: {
  store: BlobStore;
  bytes: Uint8Array;
}): Promise<StoredBlob> {
  const { store, bytes } = parameters;
  const stored = await store.put({ bytes });
  await store.read({ id: stored.id, check: withSha256(sha256(bytes)) });
  return stored;
}

import { verifyThem } from "#verifyThem";
import type { Line } from "./line.ts";
import type { Sources } from "./many/verifyInParts.ts";
import type { VerifyOptions } from "./verify.ts";

/**
 * What `verify` says of each of many receipts, in their order: a bad one among them is refuted where it stands, and changes nothing
 * for the others. Proofs under one key are looked at together. In Node this is another thread's work; in browsers this one's, which
 * is left every few milliseconds. Of a chain all are asked as of one block.
 */
export const verifyMany = (
  sources: Sources,
  options: VerifyOptions = {},
): Promise<readonly (readonly Line[])[]> => verifyThem(sources, options);

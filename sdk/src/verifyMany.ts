import { verifyThem } from "#verifyThem";
import type { Line } from "./line.ts";
import type { PageWorker } from "./many/pageWorker.ts";
import type { Sources } from "./many/verifyInParts.ts";
import type { VerifyOptions } from "./verify.ts";

/**
 * What `verify` says of each of many receipts, in their order: a bad one among them is refuted where it stands, and changes nothing
 * for the others. Proofs under one key are looked at together. In Node this is another thread's work; in browsers a worker's that the page
 * gives, or this thread's, which is left every few milliseconds. Of a chain all are asked as of one block.
 * @param worker of a page: a `Worker` of `@haca/sdk/many/verifyWorker`, as often as you like
 */
export const verifyMany = (
  sources: Sources,
  options: VerifyOptions = {},
  worker?: PageWorker,
): Promise<readonly (readonly Line[])[]> => verifyThem(sources, options, worker);

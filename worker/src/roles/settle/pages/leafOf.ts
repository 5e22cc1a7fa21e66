import type { CheckedPage } from "@haca/protocol/blobs/pageBlob";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { placeOfNonce, resultPageProof } from "@haca/protocol/resultPage";
import { type Job, resultOf } from "../../../jobs/job.ts";

/** A result with its way to the page's root, as the contract takes it. */
export type Leaf = {
  index: number;
  result: InferenceResult;
  signature: string;
  siblings: readonly string[];
};

export function leafOf({ job, made }: { job: Job; made: CheckedPage }): Leaf {
  const { index } = placeOfNonce(job.nonce);
  const siblings = resultPageProof({ tree: made.tree, index });
  return { index, result: resultOf(job), signature: job.signature, siblings };
}

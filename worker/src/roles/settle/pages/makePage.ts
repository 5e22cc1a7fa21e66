import { type CheckedPage, checkPage } from "@haca/protocol/blobs/pageBlob";
import { decodeRequestId } from "@haca/protocol/requestId";
import { placeOfNonce } from "@haca/protocol/resultPage";
import type { TypedDataDomain } from "ethers";
import { type Job, resultOf } from "../../../jobs/job.ts";

/**
 * The page over jobs of one enclave and one ledger page: the same for the same jobs, whoever makes it and whenever, so that
 * its blob and its leaves need not be kept beside them.
 */
export function makePage(parameters: {
  jobs: readonly Job[];
  domain: TypedDataDomain;
}): CheckedPage {
  const { domain, jobs } = parameters;
  const [first] = jobs;
  if (first === undefined) throw new Error("a page without results");
  const results = jobs
    .map((job) => {
      const { requestId: _, ...result } = resultOf(job);
      return { ...result, index: placeOfNonce(job.nonce).index, signature: job.signature };
    })
    .sort((a, b) => a.index - b.index);
  const { node } = decodeRequestId(first.requestId);
  return checkPage({ page: { node, page: placeOfNonce(first.nonce).page, results }, domain });
}

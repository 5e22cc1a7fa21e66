import { type CheckedPage, checkPage } from "@haca/protocol/blobs/pageBlob";
import { leafAt, type PageHeader, type PageLeaf } from "@haca/protocol/pageSettlement";
import { decodeRequestId, ledgerPageOf } from "@haca/protocol/requestId";
import { placeOfNonce } from "@haca/protocol/resultPage";
import type { TypedDataDomain } from "ethers";
import { type Job, resultOf } from "../../../jobs/job.ts";

/** `Verification.TEE` */
const TEE = 2n;

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

/** The header of a page that takes all of its results, but for who proposes it. Nobody is paid for attesting it. */
export const headerOf = (parameters: {
  made: CheckedPage;
  teeId: string;
  /** as a word */
  blobId: string;
}): Omit<PageHeader, "proposer"> => {
  const { blobId, made, teeId } = parameters;
  const { bitmap, node, page, root } = made;
  const ledgerPage = ledgerPageOf({ node, index: page });
  return { kind: TEE, teeId, ledgerPage, bitmap, root, blobId, fee: 0n };
};

/** A job's result with its way to the root of a page that has it. */
export function leafOf({ job, made }: { job: Job; made: CheckedPage }): PageLeaf {
  const leaf = leafAt(made, placeOfNonce(job.nonce).index);
  if (leaf === undefined) throw new Error(`${job.requestId} is in another page`);
  return leaf;
}

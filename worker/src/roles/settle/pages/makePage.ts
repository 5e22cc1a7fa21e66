import {
  type CheckedPage,
  checkPage,
  countFitting,
  type ResultPage,
} from "@haca/protocol/blobs/pageBlob";
import { leafAt, OPTIMISTIC, type PageHeader, type PageLeaf } from "@haca/protocol/pageSettlement";
import { decodeRequestId, ledgerPageOf } from "@haca/protocol/requestId";
import { placeOfNonce } from "@haca/protocol/resultPage";
import { concat, type TypedDataDomain, toBeHex, ZeroHash } from "ethers";
import { type Job, resultOf } from "../../../jobs/job.ts";
import type { ProposedPage } from "../../../jobs/pages.ts";

/** `Verification.TEE` */
const TEE = 2n;

/**
 * The page over jobs of one enclave, or of the node itself, and one ledger page: the same for the same jobs, whoever makes it and whenever, so that
 * its blob and its leaves need not be kept beside them. Results that are proved on demand have their words with them, so that
 * anybody can run the model again.
 */
export function makePage(parameters: {
  jobs: readonly Job[];
  domain: TypedDataDomain;
}): CheckedPage {
  return checkPage({ page: pageOf(parameters.jobs), domain: parameters.domain });
}

/** How many of these jobs, in the order of their places, a page's blob can hold. */
export const countFittingJobs = (jobs: readonly Job[]): number => countFitting(pageOf(jobs));

function pageOf(jobs: readonly Job[]): ResultPage {
  const [first] = jobs;
  if (first === undefined) throw new Error("a page without results");
  const results = jobs
    .map((job) => {
      const { requestId: _, ...result } = resultOf(job);
      const leaf = { ...result, index: placeInPage(job), signature: job.signature };
      return job.enclave === undefined ? { ...leaf, words: wordsIn(job) } : leaf;
    })
    .sort((a, b) => a.index - b.index);
  const { node } = decodeRequestId(first.requestId);
  return { node, page: placeOfNonce(first.nonce).page, results };
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
  const kind = teeId === ZeroHash ? OPTIMISTIC : TEE;
  return { kind, teeId, ledgerPage, bitmap, root, blobId, fee: 0n };
};

/** A job's result with its way to the root of a page that has it. */
export function leafOf({ job, made }: { job: Job; made: CheckedPage }): PageLeaf {
  const leaf = leafAt(made, placeInPage(job));
  if (leaf === undefined) throw new Error(`${job.requestId} is in another page`);
  return leaf;
}

/** Place of a job's result in its page, 0 to 255. */
export const placeInPage = ({ nonce }: Pick<Job, "nonce">): number => placeOfNonce(nonce).index;

/** The arguments of `proveLeaf`: a result of a page that was proposed, with its way to the root, its words and its proof. */
export function provenLeafOf(parameters: {
  page: ProposedPage;
  /** all results of the page */
  jobs: readonly Job[];
  job: Job;
  proof: string;
  domain: TypedDataDomain;
}): readonly unknown[] {
  const { domain, job, jobs, page, proof } = parameters;
  const leaf = leafOf({ job, made: makePage({ jobs, domain }) });
  return [page.header, leaf, [...job.inputWords, ...job.outputWords], proof];
}

const wordsIn = ({ inputWords, outputWords }: Job): string =>
  concat([...inputWords, ...outputWords].map((word) => toBeHex(word, 32)));

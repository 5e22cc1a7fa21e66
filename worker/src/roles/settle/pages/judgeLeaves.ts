import { blobIdToWord } from "@haca/protocol/blobs/blobId";
import { PAGE_REASONS } from "@haca/protocol/pageSettlement";
import { ZeroHash } from "ethers";
import { callMany } from "../../../chain/callMany.ts";
import { callView, pageInterface } from "../../../chain/chain.ts";
import { answerOf } from "../../../chain/rpcErrors.ts";
import { RetryableError } from "../../../errors.ts";
import type { Job } from "../../../jobs/job.ts";
import type { EncodeContext } from "../kinds/settlementDriver.ts";
import { countFittingJobs, headerOf, leafOf, makePage } from "./makePage.ts";
import { requirePast } from "./takeFitting.ts";

/** The judgement does not look at where a page is stored, and nothing is stored yet. */
const NO_BLOB = blobIdToWord("A".repeat(43));

/**
 * Results that must not be in a page now, by their request ids, and why: one of them would cost the whole deposit. They were
 * good when they were taken in; an enclave may have been banned, or a version deprecated, since then. The contract says it
 * itself, of every leaf. Older ones than half of the window are left out besides, because nobody knows when a page is mined, and
 * one that is too large for a page's blob.
 * @throws RetryableError where the endpoint does not answer, NotYetError where there is no block after the youngest of them
 */
export async function judgeLeaves(
  jobs: readonly Job[],
  context: EncodeContext,
): Promise<Map<string, string>> {
  const { account, chain, pages } = context;
  if (pages === undefined) return new Map();
  const [only, ...others] = jobs;
  if (only !== undefined && others.length === 0 && countFittingJobs(jobs) === 0) {
    return new Map([[only.requestId, "too large for a page"]]);
  }
  const latest = await answerOf(chain.provider.getBlock("latest"));
  const [number, now] = [latest?.number ?? 0, BigInt(latest?.timestamp ?? 0)];
  requirePast(jobs, now);
  const unfit = await findOld(jobs, context, now);
  const young = jobs.filter(({ requestId }) => !unfit.has(requestId));
  if (young.length === 0) return unfit;
  const made = makePage({ jobs: young, domain: chain.domain });
  const teeId = young[0]?.enclave?.teeId ?? ZeroHash;
  const header = { ...headerOf({ made, teeId, blobId: NO_BLOB }), proposer: account };
  const answers = await callMany({
    provider: chain.provider,
    // An endpoint that lags would not know yet what ended before the youngest result.
    block: `0x${number.toString(16)}`,
    calls: young.map((job) => {
      const values = [header, leafOf({ job, made })];
      const data = pageInterface.encodeFunctionData("judgeLeaf", values);
      return { to: pages.contract, data };
    }),
  });
  for (const [place, { requestId }] of young.entries()) {
    const answer = answers[place];
    if (typeof answer !== "string" || answer === "0x") {
      const words = typeof answer === "string" ? "nothing" : answer?.message;
      throw new RetryableError({
        code: "page.notJudged",
        message: `HACA_RPC_URL: asked for a leaf of a page, the endpoint answers ${words}`,
      });
    }
    const [number] = pageInterface.decodeFunctionResult("judgeLeaf", answer);
    if (number !== 0n) unfit.set(requestId, PAGE_REASONS[Number(number)] ?? "refused");
  }
  return unfit;
}

async function findOld(
  jobs: readonly Job[],
  { chain }: EncodeContext,
  now: bigint,
): Promise<Map<string, string>> {
  const view = { chain, contract: "pageSettlement", name: "parametersNow" } as const;
  const [parameters] = await answerOf(callView({ ...view, values: [] }));
  const { resultWindow } = parameters as { resultWindow: bigint };
  const oldest = now - resultWindow / 2n;
  const old = jobs.filter(({ timestamp }) => timestamp < oldest);
  return new Map(old.map(({ requestId }) => [requestId, "too old for a page"]));
}

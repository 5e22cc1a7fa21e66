import { answerOf } from "../../../chain/rpcErrors.ts";
import { NotYetError } from "../../../errors.ts";
import type { Job } from "../../../jobs/job.ts";
import type { EncodeContext } from "../kinds/settlementDriver.ts";
import { countFittingJobs } from "./makePage.ts";

/**
 * Of jobs that wait for a page those that it can have now: dated before the chain's latest block, and no more than its blob can
 * hold. What a later block says of a version or an enclave, a ban apart, is said of a later second than theirs, so that the
 * judgement of now is that of the proposal. A page that is full has all of its results soon, and waits for the youngest.
 * @throws NotYetError where the page has to wait
 */
export async function takeFitting(
  jobs: readonly Job[],
  { chain, pages }: EncodeContext,
): Promise<readonly Job[]> {
  const latest = await answerOf(chain.provider.getBlock("latest"));
  const now = BigInt(latest?.timestamp ?? 0);
  const past = jobs.filter(({ timestamp }) => timestamp < now);
  const isFull = jobs.length >= (pages?.size ?? 1);
  if (isFull || past.length === 0) requirePast(jobs, now);
  const ordered = [...past].sort((a, b) => (a.nonce < b.nonce ? -1 : 1));
  // One that no blob can hold comes alone then, and is set apart.
  return ordered.slice(0, Math.max(1, countFittingJobs(ordered)));
}

/** @throws NotYetError where one of these results is not older than the chain's latest block, which is of `now` */
export function requirePast(jobs: readonly Job[], now: bigint): void {
  const [youngest = 0n] = jobs.map(({ timestamp }) => timestamp).sort((a, b) => (a > b ? -1 : 1));
  if (youngest < now) return;
  throw new NotYetError({
    code: "page.tooYoung",
    message: `the youngest result is of ${youngest}, and the chain's latest block of ${now}: a page waits for a block after it`,
  });
}

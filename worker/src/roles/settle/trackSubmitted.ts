import type { TransactionReceipt } from "ethers";
import { explainRevert } from "../../chain/explainRevert.ts";
import { answerOf, requireSameChain } from "../../chain/rpcErrors.ts";
import type { Job } from "../../jobs/job.ts";
import { recordPending } from "../../jobs/pages.ts";
import { recordFailure } from "../../jobs/proofs.ts";
import { recordSettlement, recordUndone } from "../../jobs/settlements.ts";
import type { SettlementTransaction } from "../../jobs/transactionLeases.ts";
import { followTransaction } from "../../transactions/followTransaction.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import { acceptExternal } from "./external.ts";
import { driverNamed } from "./kinds/drivers.ts";
import type { Followed } from "./kinds/settlementDriver.ts";
import { jobFields } from "./leasings.ts";
import { takenNonce } from "./offers.ts";
import type { SettleContext } from "./settleContext.ts";

type Tracking = { context: SettleContext; view: ChainView; settlement: SettlementTransaction };
type Mined = Tracking & { raw: string; receipt: TransactionReceipt };

/**
 * Looks after a transaction that submitted jobs wait for: once one of its attempts has its confirmations, they are
 * settled, failed, or undone as its driver says. Returns how many jobs moved on.
 */
export async function trackSubmitted(tracking: Tracking): Promise<number> {
  const { context, view } = tracking;
  const { jobs, transaction } = tracking.settlement;
  const outcome = await followTransaction({ context, view, transaction });
  if (outcome.state === "taken") return await takenNonce({ context, view, jobs, transaction });
  if (outcome.state === "waiting") return 0;
  const mined = { ...tracking, ...outcome };
  return outcome.receipt.status === 1 ? await settle(mined) : await revert(mined);
}

async function settle(mined: Mined): Promise<number> {
  const { context, receipt, settlement } = mined;
  const { chain, store } = context;
  const { jobs, kind } = settlement;
  const followed = driverNamed(kind).follow({ receipt, chain });
  const own = jobs.filter(({ requestId }) => followed.requests.has(requestId));
  const moved = own.length === 0 ? 0 : await recordFollowed({ ...mined, jobs: own, followed });
  const rest = jobs.filter(({ requestId }) => !followed.requests.has(requestId));
  if (rest.length === 0) return moved;
  await store.recordMined(receipt);
  return moved + (await unsettled({ ...mined, jobs: rest }));
}

/** Settled, or pending in a page. Returns how many jobs moved on. */
async function recordFollowed(
  parameters: Mined & { jobs: readonly Job[]; followed: Followed },
): Promise<number> {
  const { context, followed, jobs, receipt, settlement } = parameters;
  const { database, logger, metrics, pages } = context;
  const { kind } = settlement;
  const requestIds = jobs.map(({ requestId }) => requestId);
  const { hash, blockNumber, blockHash, gasUsed } = receipt;
  const recorded = { database, requestIds, mined: { hash, blockNumber, blockHash, gasUsed } };
  const { page } = followed;
  const renewSeconds = pages?.renewSeconds ?? 0;
  const moved =
    page === undefined
      ? await recordSettlement(recorded)
      : await recordPending({ ...recorded, page, renewSeconds });
  if (moved.length === 0) return 0;
  metrics.settlementGas.observe({ kind }, Number(gasUsed));
  metrics.settlementJobs.observe({ kind }, moved.length);
  const place = { transaction: hash, block: blockNumber, gas: Number(gasUsed) };
  const fields = { ...jobFields(jobs), ...place };
  if (page === undefined) logger.info(fields, "settled");
  else logger.info({ ...fields, page: page.pageId, until: Number(page.endsAt) }, "pending");
  return moved.length;
}

/** Succeeded without these: a transaction of several skips what is settled already, and nothing else. */
async function unsettled(parameters: Mined & { jobs: readonly Job[] }): Promise<number> {
  const { context, receipt, settlement, view } = parameters;
  const { database } = context;
  const { hash } = receipt;
  if (driverNamed(settlement.kind).undo("unsettled") === "fail") {
    const code = "settle.eventMissing";
    const message = `transaction ${hash} succeeded without settling the request`;
    return await failAll({ database, jobs: parameters.jobs, code, message });
  }
  const external = await acceptExternal({ context, view, jobs: parameters.jobs });
  const jobs = parameters.jobs.filter(({ requestId }) => !external.includes(requestId));
  const reason = `transaction ${hash} succeeded without settling the request`;
  return external.length + (await undo({ context, jobs, hash, reason, apart: true }));
}

async function revert(mined: Mined): Promise<number> {
  const { context, raw, receipt, settlement, view } = mined;
  const { chain, database, logger, store } = context;
  const { hash } = receipt;
  // Mined, whatever becomes of the jobs: not one that others wait behind.
  await store.recordMined(receipt);
  const external = await acceptExternal({ context, view, jobs: settlement.jobs });
  const jobs = settlement.jobs.filter(({ requestId }) => !external.includes(requestId));
  if (jobs.length === 0) return external.length;
  const why = await answerOf(explainRevert({ chain, raw, receipt }));
  await requireSameChain(chain);
  logger.error({ ...jobFields(jobs), transaction: hash, revert: why.message }, "reverted");
  const message = `transaction ${hash}: ${why.message}`;
  const undoing = driverNamed(settlement.kind).undo("reverted", why.name);
  const moved =
    undoing === "fail"
      ? await failAll({ database, jobs, code: `revert.${why.name}`, message })
      : await undo({ context, jobs, hash, reason: message, apart: undoing === "apart" });
  return external.length + moved;
}

/** The jobs go on, apart or not: the next pass settles them, or hears from the contract why not. */
async function undo(parameters: {
  context: SettleContext;
  jobs: readonly Job[];
  hash: string;
  reason: string;
  apart: boolean;
}): Promise<number> {
  const { apart, context, hash, jobs, reason } = parameters;
  const { database, metrics } = context;
  const requestIds = jobs.map(({ requestId }) => requestId);
  const step = { database, requestIds, transactionHash: hash, reason, apart };
  const undone = await recordUndone(step);
  if (apart) metrics.setApart.inc(undone.length);
  return undone.length;
}

async function failAll(parameters: {
  database: SettleContext["database"];
  jobs: readonly Job[];
  code: string;
  message: string;
}): Promise<number> {
  const { code, database, jobs, message } = parameters;
  let moved = 0;
  for (const { requestId } of jobs) {
    const failure = { requestId, from: "submitted", code, message } as const;
    if (await recordFailure({ database, ...failure })) moved += 1;
  }
  return moved;
}

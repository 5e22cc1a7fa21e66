import { requireSameChain, revertOf } from "../../chain/rpcErrors.ts";
import { describeError, NotYetError, RefusedByEndpointError } from "../../errors.ts";
import type { Job } from "../../jobs/job.ts";
import { type Claims, listWaiting } from "../../jobs/leases.ts";
import { recordFailure } from "../../jobs/proofs.ts";
import { setApart } from "../../jobs/settlements.ts";
import type { Fees } from "../../transactions/fees.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import {
  failureOf,
  NOT_ESTIMATED,
  sendTransaction,
  WouldRevertError,
} from "../../transactions/sendTransaction.ts";
import { acceptExternal } from "./external.ts";
import { handleAll, handleHarmed } from "./forEachLeased.ts";
import { DRIVERS, driverFor } from "./kinds/drivers.ts";
import type { EncodeContext, SettlementDriver } from "./kinds/settlementDriver.ts";
import { jobFields, lotLeasing } from "./leasings.ts";
import { recordOffered } from "./offers.ts";
import type { SettleContext } from "./settleContext.ts";

const PURPOSE = "settlement";
/** Deaths of a process over jobs that share a transaction, after which each of them goes alone: one may be bad luck. */
const SHARED_HARM = 2;

type Settling = { context: SettleContext; view: ChainView; fees: Fees };

/**
 * Signs, records and sends settlements of proven jobs that have none. Which go together is the drivers' to say, from
 * what is in the queue: nothing is kept in a process, so that a batch that forms outlives it. Returns how many moved on.
 */
export async function settleProven(settling: Settling): Promise<number> {
  const { context } = settling;
  const { batch: batching, database, owner } = context;
  const shared = batching.size > 1 || batching.page !== undefined;
  const harm = shared ? SHARED_HARM : 1;
  const claims: Claims = { from: 0, to: harm - 1 };
  const waiting = shared ? await listWaiting({ database, owner, claims }) : [];
  const handle = (jobs: readonly Job[]) => settleLot({ ...settling, jobs });
  let moved = 0;
  for (const driver of DRIVERS) {
    for (const lot of driver.form({ waiting, batching })) {
      if (context.signal.aborted) return moved;
      const step = { context, leasing: lotLeasing(context, lot), handle };
      const units = await step.leasing.lease({ claims, limit: lot.most, alone: false });
      moved += await handleAll({ step, units });
    }
  }
  // Whatever they could share: alone.
  const lot = { stage: { state: "proven" }, together: false, least: 1, most: 1 } as const;
  const step = { context, leasing: lotLeasing(context, lot), handle };
  return moved + (await handleHarmed({ step, harm }));
}

/**
 * One transaction for these jobs. What the chain has already is left out; where the rest would revert, what is why is left
 * out too. Returns how many jobs moved on.
 * @throws RefusedByEndpointError or NotYetError where this settlement has to wait; others need not
 */
async function settleLot(parameters: Settling & { jobs: readonly Job[] }): Promise<number> {
  const { context, view } = parameters;
  const external = await acceptExternal({ context, view, jobs: parameters.jobs });
  let moved = external.length;
  let jobs: readonly Job[] = parameters.jobs.filter(
    ({ requestId }) => !external.includes(requestId),
  );
  while (jobs.length > 0) {
    const attempt = await send({ ...parameters, jobs });
    moved += attempt.moved;
    jobs = attempt.rest;
  }
  return moved;
}

const encodeContextOf = ({ chain, database, pages, wallet }: SettleContext): EncodeContext => ({
  ...{ chain, database, account: wallet.address },
  ...(pages === undefined ? {} : { pages }),
});

/** Returns what is to be tried in place of these jobs: fewer of them, or none. */
async function send(
  parameters: Settling & { jobs: readonly Job[] },
): Promise<{ moved: number; rest: readonly Job[] }> {
  const { context, view, fees, jobs } = parameters;
  const driver = driverFor(jobs);
  const fitting = await driver.takeFitting?.(jobs, encodeContextOf(context));
  if (fitting !== undefined && fitting.length < jobs.length) {
    const fields = { ...jobFields(fitting), waiting: jobs.length - fitting.length };
    context.logger.info(fields, "not all fit into one transaction: the rest wait for the next");
    return { moved: 0, rest: fitting };
  }
  const unfit = await driver.findUnfit?.(jobs, encodeContextOf(context));
  if (unfit !== undefined && unfit.size > 0) return await leaveOut({ context, jobs, unfit });
  const call = await driver.encode(jobs, encodeContextOf(context));
  const settles = { kind: driver.name, requestIds: jobs.map(({ requestId }) => requestId) };
  try {
    const sent = await sendTransaction({ context, view, purpose: PURPOSE, ...call, fees, settles });
    if (sent === undefined || sent.offered.state === "refused") return { moved: 0, rest: [] };
    const { offered, ...transaction } = sent;
    return { moved: await recordOffered({ context, view, jobs, transaction, offered }), rest: [] };
  } catch (error) {
    if (error instanceof WouldRevertError) return await refused({ ...parameters, driver, error });
    const isTooMuch = error instanceof RefusedByEndpointError && error.code === NOT_ESTIMATED;
    if (!isTooMuch || jobs.length === 1) throw error;
    // More gas than a block or the endpoint gives, or something that fewer jobs will show.
    const rest = jobs.slice(0, Math.ceil(jobs.length / 2));
    const fields = { ...jobFields(jobs), error: describeError(error) };
    context.logger.warn(fields, `not estimated: ${rest.length} of them first`);
    return { moved: 0, rest };
  }
}

/** Sets jobs apart that must not go with the others. */
async function leaveOut(parameters: {
  context: SettleContext;
  jobs: readonly Job[];
  unfit: ReadonlyMap<string, string>;
}): Promise<{ moved: number; rest: readonly Job[] }> {
  const { context, jobs, unfit } = parameters;
  const { database, logger, metrics } = context;
  let moved = 0;
  for (const [requestId, why] of unfit) {
    const reason = `set apart from ${jobs.length - 1} others: ${why}`;
    moved += (await setApart({ database, requestIds: [requestId], reason })).length;
    logger.warn({ requestId, reason: why }, "set apart: not for a page");
  }
  metrics.setApart.inc(moved);
  return { moved, rest: jobs.filter(({ requestId }) => !unfit.has(requestId)) };
}

/** A revert is a verdict on a job that is alone, unless time heals it; of several, it is on those that are why. */
async function refused(
  parameters: Settling & {
    jobs: readonly Job[];
    driver: SettlementDriver;
    error: WouldRevertError;
  },
): Promise<{ moved: number; rest: readonly Job[] }> {
  const { context, driver, jobs } = parameters;
  const { chain, database, logger, metrics } = context;
  const { name, message } = parameters.error.revert;
  const undoing = driver.undo("wouldRevert", name);
  if (undoing === "apart") {
    const wouldRevert = (some: readonly Job[]) => simulate({ context, driver, jobs: some });
    const invalid = await driver.findInvalid({ jobs, wouldRevert });
    await requireSameChain(chain);
    const requestIds = invalid.map(({ requestId }) => requestId);
    const reason = `set apart from ${jobs.length - 1} others: ${message}`;
    const apart = await setApart({ database, requestIds, reason });
    metrics.setApart.inc(apart.length);
    logger.warn({ requestIds, revert: message }, "set apart: with others it would revert");
    return { moved: apart.length, rest: jobs.filter((job) => !invalid.includes(job)) };
  }
  if (undoing === "together" || driver.transientReverts.includes(name)) {
    throw new NotYetError({ code: `revert.${name}`, message });
  }
  await requireSameChain(chain);
  let moved = 0;
  for (const { requestId } of jobs) {
    logger.error({ requestId, revert: message }, "the settlement would revert");
    const code = `revert.${name}`;
    if (await recordFailure({ database, requestId, from: "proven", code, message })) moved += 1;
  }
  return { moved, rest: [] };
}

/** Whether the contract would refuse these jobs now. */
async function simulate(parameters: {
  context: SettleContext;
  driver: SettlementDriver;
  jobs: readonly Job[];
}): Promise<boolean> {
  const { context, driver, jobs } = parameters;
  const { chain, wallet } = context;
  const call = await driver.encode(jobs, encodeContextOf(context));
  try {
    await chain.provider.call({ from: wallet.address, ...call });
    return false;
  } catch (error) {
    if (revertOf(error) !== undefined) return true;
    throw failureOf({ purpose: PURPOSE, error });
  }
}

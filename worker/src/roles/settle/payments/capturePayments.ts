import { commerceHash } from "@haca/protocol/commercePayments";
import { encodeEscrowJob, escrowInterface, jobOpenedIn } from "@haca/protocol/escrowCalls";
import { escrowJobId } from "@haca/protocol/inferenceEscrow";
import { decodeCommerceJob } from "@haca/protocol/operatorCalls";
import { requireAnswer } from "../../../chain/chain.ts";
import { answerOf } from "../../../chain/rpcErrors.ts";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import {
  claimPayments,
  type DuePayment,
  endPayment,
  findSpareResults,
  keepHeldJob,
  restHeldPayment,
} from "../../../jobs/heldPayments.ts";
import { resultOf } from "../../../jobs/job.ts";
import { readPage } from "../../../jobs/pages.ts";
import { readJob } from "../../../jobs/readJobs.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import { sendTransaction, WouldRevertError } from "../../../transactions/sendTransaction.ts";
import { leafOf, makePage } from "../pages/makePage.ts";
import type { SettleContext } from "../settleContext.ts";
import { findOperator } from "./findOperator.ts";
import { type HeldJob, type Holder, heldJobOf, holderOf, type JobState } from "./heldJobs.ts";
import type { PaymentPorts } from "./paymentPorts.ts";

/** Payments that are looked at in one pass. */
const LIMIT = 32;
/** Rest of a payment that the contract refuses to pay out, or to give back. */
const REFUSED_REST_SECONDS = 3_600;
/** As deep as full nodes have the state of. */
const MAXIMUM_DEPTH = 100;
/** More than are made in the time in which a permit can be used, and a gateway waits for its client. */
const LOOKBACK_BLOCKS = 10_000;
/** Revert for a job that is open with another content. */
const WRONG_JOB = "InferenceEscrow_WrongJob";
/** Revert for a result that has captured another job. */
const TAKEN = "CaptureRules_AlreadyCaptured";
/** Results of others that are tried at one look. */
const MOST_SPARES = 16;

type Parameters = { context: SettleContext; payments: PaymentPorts; view: ChainView };

/**
 * Captures payments whose results are settled, and gives back those that have none. How a job stands is read from the chain at
 * each look, whoever did it: a process that dies meanwhile leaves nothing behind, and nothing is paid twice. What has an end is
 * noted as deep as reorganisations are watched for. Returns how many have ended.
 */
export async function capturePayments(parameters: Parameters): Promise<number> {
  const { context, payments } = parameters;
  const { database } = context;
  const { lookSeconds: restSeconds } = payments;
  let ended = 0;
  for (const payment of await claimPayments({ database, restSeconds, limit: LIMIT })) {
    if (await look({ ...parameters, payment })) ended += 1;
  }
  return ended;
}

/** One payment. Returns whether it has ended. */
async function look(parameters: Parameters & { payment: DuePayment }): Promise<boolean> {
  const { context, payment, payments, view } = parameters;
  const { database, logger, reorgBlocks } = context;
  const { jobId, requestId } = payment;
  const shown = await nameOf(parameters);
  if (shown === undefined) {
    const error = `${payment.operator} is no operator of this deployment's CommerceOperators`;
    logger.warn({ job: jobId, requestId, error }, "a payment rests");
    await restHeldPayment({ database, jobId, error, seconds: REFUSED_REST_SECONDS });
    return false;
  }
  const holder = holderOf(payment, payments.escrow);
  const depth = Math.min(reorgBlocks, MAXIMUM_DEPTH);
  const deep = await stateAt({ ...parameters, holder, block: Math.max(0, view.head - depth) });
  const now = await stateAt({ ...parameters, holder, block: view.head });
  if (deep === now && now !== "open") {
    if (now === "none" && !(await isTooLate(parameters))) return false;
    const isNews = await endPayment({ database, jobId, end: now });
    // A result that is settled, and nothing was held for it: its opening was reorganised away, or never was.
    const level = now === "none" && requestId !== null ? "warn" : "info";
    if (isNews) logger[level]({ job: shown, requestId, end: now }, "payment ended");
    return isNews;
  }
  if (now !== "open") return false;
  const purpose = `payment ${jobId.slice(0, 18)}`;
  if ((await context.store.listOpen()).some((open) => open.purpose === purpose)) return false;
  const job = heldJobOf(payment);
  if (job === undefined) await keepJob(parameters);
  else if (!payment.isWaiting) await send({ ...parameters, holder, job, purpose, shown });
  return false;
}

/** What the job is called in the log and by commands; undefined where the operator that it names is none. */
async function nameOf(
  parameters: Parameters & { payment: DuePayment },
): Promise<string | undefined> {
  const { context, payment, payments, view } = parameters;
  const { job, jobId, operator } = payment;
  if (operator === null || job === null) return jobId;
  const known = payments.knownOperators;
  const escrow = await findOperator({ context, known, operator, block: view.head });
  if (escrow === undefined) return undefined;
  return commerceHash({ chainId: context.chain.chainId, escrow }, decodeCommerceJob(job).payment);
}

type Sending = Parameters & {
  payment: DuePayment;
  holder: Holder;
  job: HeldJob;
  purpose: string;
  shown: string;
};

async function send(parameters: Sending): Promise<void> {
  const { context, holder, job, payment, payments, purpose, shown, view } = parameters;
  const { database, logger } = context;
  const { jobId, requestId } = payment;
  const block = await answerOf(context.chain.provider.getBlock(view.head));
  const isOver = BigInt(block?.timestamp ?? 0) >= job.deadline;
  const capture = requestId === null || isOver ? undefined : await captureOf(parameters);
  // From the deadline on it goes back by whomever; before it, by its node or payee alone.
  const data = capture ?? (isOver ? job.refund : job.cancel);
  const what = capture === undefined ? "giving a payment back" : "capturing a payment";
  try {
    const sent = await sendTransaction({ context, view, purpose, to: holder.to, data });
    if (sent !== undefined) logger.info({ job: shown, requestId, transaction: sent.hash }, what);
  } catch (error) {
    if (!(error instanceof WouldRevertError || error instanceof RefusedByEndpointError))
      throw error;
    const words = describeError(error);
    logger.warn({ job: shown, requestId, error: words }, `${what}: not now`);
    if (error instanceof WouldRevertError && error.revert.name === WRONG_JOB) {
      // A reorganisation has put its opening into another block, and so its deadline at another time.
      await keepJob(parameters);
      return;
    }
    const isTaken = error instanceof WouldRevertError && error.revert.name === TAKEN;
    if (isTaken && (await sendSpare(parameters))) return;
    const seconds = error instanceof WouldRevertError ? REFUSED_REST_SECONDS : payments.lookSeconds;
    await restHeldPayment({ database, jobId, error: words, seconds });
  }
}

/**
 * A payer who has paid twice for one request may have shown the result of this payment for the other: then the other's has
 * captured nothing, and does here. Returns whether one does.
 */
async function sendSpare(parameters: Sending): Promise<boolean> {
  const { context, holder, payment, purpose, shown, view } = parameters;
  const { database, logger } = context;
  const { jobId } = payment;
  for (const spare of await findSpareResults({ database, jobId, limit: MOST_SPARES })) {
    const data = await captureOf({ ...parameters, payment: { ...payment, ...spare } });
    if (data === undefined) continue;
    try {
      const sent = await sendTransaction({ context, view, purpose, to: holder.to, data });
      const { requestId } = spare;
      if (sent !== undefined) {
        logger.info({ job: shown, requestId, transaction: sent.hash }, "capturing a payment");
      }
      return true;
    } catch (error) {
      if (!(error instanceof WouldRevertError)) throw error;
    }
  }
  return false;
}

/** The call that shows the settled result; undefined where there is none. */
async function captureOf(parameters: {
  context: SettleContext;
  payment: DuePayment;
  job: HeldJob;
}): Promise<string | undefined> {
  const { context, job, payment } = parameters;
  const { chain, database } = context;
  const { pageId, requestId } = payment;
  const settled = requestId === null ? undefined : await readJob({ database, requestId });
  if (settled === undefined) return undefined;
  const found = pageId === null ? undefined : await readPage({ database, pageId });
  if (found === undefined) return job.capture(resultOf(settled));
  const made = makePage({ jobs: found.jobs, domain: chain.domain });
  return job.captureFromPage(found.page.header, leafOf({ job: settled, made }));
}

/** Keeps the job as its opening has it, while the endpoint has the log: callers of the escrow bring it. */
async function keepJob(parameters: Parameters & { payment: DuePayment }): Promise<void> {
  const { context, payment, payments, view } = parameters;
  const { database, logger } = context;
  const { jobId } = payment;
  const { provider } = context.chain;
  const { nonce, payer } = payment;
  const topics = [
    escrowInterface.getEvent("JobOpened")?.topicHash ?? null,
    escrowJobId({ payer, nonce }),
  ];
  const { escrow } = payments;
  const readSlice = (fromBlock: number, toBlock: number) =>
    provider.getLogs({ address: escrow, topics, fromBlock, toBlock });
  const from = Math.max(0, view.head - LOOKBACK_BLOCKS);
  const logs = await answerOf(payments.slices.read({ from, to: view.head, readSlice }));
  const opened = jobOpenedIn({ logs, escrow, payer, nonce });
  const job = opened && encodeEscrowJob(opened);
  if (job === undefined || job === payment.job) {
    const error = "the endpoint shows no log of its opening";
    await restHeldPayment({ database, jobId, error, seconds: REFUSED_REST_SECONDS });
    return;
  }
  await keepHeldJob({ database, jobId, job });
  logger.info({ job: jobId }, "a payment's job is known");
}

async function stateAt(
  parameters: Parameters & { holder: Holder; block: number },
): Promise<JobState> {
  const { block: blockTag, context, holder } = parameters;
  const { statusOf: data, states, to } = holder;
  const answer = await answerOf(context.chain.provider.call({ to, data, blockTag }));
  // Before the contract was there nothing was open.
  if (answer === "0x" && blockTag !== parameters.view.head) return "none";
  requireAnswer({ answer, name: "statusOf", to });
  return states[Number(answer)] ?? "none";
}

/** Whether no permit opens the job any more. */
async function isTooLate({ context, payment, view }: Parameters & { payment: DuePayment }) {
  const { provider } = context.chain;
  const depth = Math.min(context.reorgBlocks, MAXIMUM_DEPTH);
  const block = await answerOf(provider.getBlock(Math.max(0, view.head - depth)));
  return BigInt(block?.timestamp ?? 0) > payment.validUntil;
}

import { type EscrowJob, escrowInterface, jobOpenedIn } from "@haca/protocol/escrowCalls";
import { escrowJobId, JOB_STATUSES, type JobStatus } from "@haca/protocol/inferenceEscrow";
import { requireAnswer } from "../../../chain/chain.ts";
import { answerOf } from "../../../chain/rpcErrors.ts";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import {
  claimPayments,
  type DuePayment,
  endPayment,
  keepCancellation,
  restHeldPayment,
} from "../../../jobs/heldPayments.ts";
import { resultOf } from "../../../jobs/job.ts";
import { readPage } from "../../../jobs/pages.ts";
import { readJob } from "../../../jobs/readJobs.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import { sendTransaction, WouldRevertError } from "../../../transactions/sendTransaction.ts";
import { leafOf, makePage } from "../pages/makePage.ts";
import type { SettleContext } from "../settleContext.ts";
import type { PaymentPorts } from "./paymentPorts.ts";

/** Payments that are looked at in one pass. */
const LIMIT = 32;
/** Rest of a payment that the contract refuses to pay out, or to give back. */
const REFUSED_REST_SECONDS = 3_600;
/** As deep as full nodes have the state of. */
const MAXIMUM_DEPTH = 100;
/** More than are made in the time in which a permit can be used, and a gateway waits for its client. */
const LOOKBACK_BLOCKS = 10_000;
/** `Verification.TEE` */
const TEE = 2;

/** Revert for a job that is open with another content. */
const WRONG_JOB = "InferenceEscrow_WrongJob";

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
  const { context, payment, view } = parameters;
  const { database, logger, reorgBlocks } = context;
  const { jobId, requestId } = payment;
  const depth = Math.min(reorgBlocks, MAXIMUM_DEPTH);
  const deep = await statusAt({ ...parameters, block: Math.max(0, view.head - depth) });
  const now = await statusAt({ ...parameters, block: view.head });
  if (deep === now && now !== "open") {
    if (now === "none" && !(await isTooLate(parameters))) return false;
    const isNews = await endPayment({ database, jobId, end: now });
    // A result that is settled, and nothing was held for it: its opening was reorganised away, or never was.
    const level = now === "none" && requestId !== null ? "warn" : "info";
    if (isNews) logger[level]({ job: jobId, requestId, end: now }, "payment ended");
    return isNews;
  }
  if (now !== "open") return false;
  const purpose = `payment ${jobId.slice(0, 18)}`;
  if ((await context.store.listOpen()).some((open) => open.purpose === purpose)) return false;
  if (payment.cancellation === null) {
    await keepJob(parameters);
  } else if (!payment.isWaiting) {
    const [job] = escrowInterface.decodeFunctionData("cancel", payment.cancellation);
    await send({ ...parameters, job, cancellation: payment.cancellation, purpose });
  }
  return false;
}

async function send(
  parameters: Parameters & {
    payment: DuePayment;
    job: EscrowJob;
    cancellation: string;
    purpose: string;
  },
): Promise<void> {
  const { cancellation, context, job, payment, payments, purpose, view } = parameters;
  const { database, logger } = context;
  const { jobId, requestId } = payment;
  const block = await answerOf(context.chain.provider.getBlock(view.head));
  const isOver = BigInt(block?.timestamp ?? 0) >= job.deadline;
  const capture = requestId === null || isOver ? undefined : await captureOf(parameters);
  // From the deadline on it goes back by whomever; before it, by its node or payee alone.
  const back = isOver ? escrowInterface.encodeFunctionData("refund", [job]) : cancellation;
  const data = capture ?? back;
  const what = capture === undefined ? "giving a payment back" : "capturing a payment";
  try {
    const sent = await sendTransaction({ context, view, purpose, to: payments.escrow, data });
    if (sent !== undefined) logger.info({ job: jobId, requestId, transaction: sent.hash }, what);
  } catch (error) {
    if (!(error instanceof WouldRevertError || error instanceof RefusedByEndpointError))
      throw error;
    const words = describeError(error);
    logger.warn({ job: jobId, requestId, error: words }, `${what}: not now`);
    if (error instanceof WouldRevertError && error.revert.name === WRONG_JOB) {
      // A reorganisation has put its opening into another block, and so its deadline at another time.
      await keepJob(parameters);
      return;
    }
    const seconds = error instanceof WouldRevertError ? REFUSED_REST_SECONDS : payments.lookSeconds;
    await restHeldPayment({ database, jobId, error: words, seconds });
  }
}

/** The call that shows the settled result; undefined where there is none. */
async function captureOf(parameters: {
  context: SettleContext;
  payment: DuePayment;
  job: EscrowJob;
}): Promise<string | undefined> {
  const { context, job, payment } = parameters;
  const { chain, database } = context;
  const { pageId, requestId } = payment;
  const settled = requestId === null ? undefined : await readJob({ database, requestId });
  if (settled === undefined) return undefined;
  const found = pageId === null ? undefined : await readPage({ database, pageId });
  if (found === undefined) {
    return escrowInterface.encodeFunctionData("capture", [job, resultOf(settled), TEE]);
  }
  const made = makePage({ jobs: found.jobs, domain: chain.domain });
  const values = [job, found.page.header, leafOf({ job: settled, made })];
  return escrowInterface.encodeFunctionData("captureFromPage", values);
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
  const job = jobOpenedIn({ logs, escrow, payer, nonce });
  const cancellation = job && escrowInterface.encodeFunctionData("cancel", [job]);
  if (cancellation === undefined || cancellation === payment.cancellation) {
    const error = "the endpoint shows no log of its opening";
    await restHeldPayment({ database, jobId, error, seconds: REFUSED_REST_SECONDS });
    return;
  }
  await keepCancellation({ database, jobId, cancellation });
  logger.info({ job: jobId }, "a payment's job is known");
}

async function statusAt(
  parameters: Parameters & { payment: DuePayment; block: number },
): Promise<Lowercase<JobStatus>> {
  const { block: blockTag, context, payment, payments } = parameters;
  const to = payments.escrow;
  const data = escrowInterface.encodeFunctionData("statusOf", [payment.jobId]);
  const answer = await answerOf(context.chain.provider.call({ to, data, blockTag }));
  // Before the escrow was there nothing was open.
  if (answer === "0x" && blockTag !== parameters.view.head) return "none";
  requireAnswer({ answer, name: "statusOf", to });
  const status = JOB_STATUSES[Number(answer)] ?? "None";
  return status.toLowerCase() as Lowercase<JobStatus>;
}

/** Whether no permit opens the job any more. */
async function isTooLate({ context, payment, view }: Parameters & { payment: DuePayment }) {
  const { provider } = context.chain;
  const depth = Math.min(context.reorgBlocks, MAXIMUM_DEPTH);
  const block = await answerOf(provider.getBlock(Math.max(0, view.head - depth)));
  return BigInt(block?.timestamp ?? 0) > payment.validUntil;
}

import type { EscrowJob } from "@haca/protocol/escrowCalls";
import { escrowKindsInWords } from "@haca/protocol/inferenceEscrow";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { decodeRequestId } from "@haca/protocol/requestId";
import { addressOf } from "../lib/chainSession.ts";
import { contractAt, interfaceOf } from "../lib/contracts.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { isoTime } from "../lib/words.ts";
import {
  findPage,
  placeArgument,
  readContent,
  requirePageId,
  resultAt,
  stateInWords,
} from "../pages/page.ts";
import {
  amountWords,
  type EscrowContext,
  hashArgument,
  refuse,
  type SendOptions,
  tokenAt,
  withEscrow,
} from "./context.ts";
import type { FoundJob } from "./foundJob.ts";
import { findOpenJob } from "./jobs.ts";

/** Shows the escrow, or a job's operator, a result that was settled alone. Errors: `escrow.badArgument`, `escrow.refused`, those of `senderOf` and `sendChange`. */
export function capture(options: SendOptions & { job: string; request: string }): Promise<void> {
  const requestId = hashArgument("request", options.request);
  return withEscrow(options.network, async (context) => {
    const { escrow, session } = context;
    const { commerce, job, jobId } = await findCapturable(context, options.job);
    const { kind, result } = await settledResult(context, requestId);
    requireFits({ job, kind: 1n << kind, result });
    const said = {
      ...{ options, sender: await senderOf(session, options), question: "Capture it?" },
      name: "capture",
      changes: [await changeBy(context, { job, jobId, result })],
    } as const;
    if (commerce === null) {
      const values = [job, result, kind] as const;
      await sendChange(context, { ...said, contract: escrow, values });
      return;
    }
    const values = [commerce.job, result, kind] as const;
    await sendChange(context, { ...said, contract: operatorOf(context, commerce), values });
  });
}

/** The same with a result of a final page. Errors: besides, those of a page's blob and `pages.unknown`. */
export function captureFromPage(
  options: SendOptions & { job: string; page: string; index: string },
): Promise<void> {
  requirePageId(options.page);
  return withEscrow(options.network, async (context) => {
    const { escrow, session } = context;
    const { commerce, job, jobId } = await findCapturable(context, options.job);
    const pages = await session.contract("PageSettlement");
    const page = await findPage({ session, id: options.page });
    const index = placeArgument(options.index, page);
    const { state, words } = await stateInWords({ pages }, page.id);
    if (state !== "Final") throw refuse(`page ${page.id} is ${words}`);
    const leaf = resultAt(await readContent({ session, pages, page }), index);
    requireFits({ job, kind: 1n << (PAGE_SHIFT + BigInt(page.header.kind)), result: leaf.result });
    const said = {
      ...{ options, sender: await senderOf(session, options), question: "Capture it?" },
      name: "captureFromPage",
      changes: [await changeBy(context, { job, jobId, result: leaf.result })],
    } as const;
    if (commerce === null) {
      const values = [job, page.header, leaf] as const;
      await sendChange(context, { ...said, contract: escrow, values });
      return;
    }
    const values = [commerce.job, page.header, leaf] as const;
    await sendChange(context, { ...said, contract: operatorOf(context, commerce), values });
  });
}

const operatorOf = ({ session }: EscrowContext, { operator }: { operator: string }) =>
  contractAt({ name: "CommerceOperator", address: operator, runner: session.provider });

/** Where the bits of kinds in pages begin. */
const PAGE_SHIFT = 4n;

/** A job that is open, before its deadline. Error: `escrow.refused`. */
async function findCapturable(context: EscrowContext, text: string): Promise<FoundJob> {
  const found = await findOpenJob(context, text);
  const { deadline } = found.job;
  if (context.now < deadline) return found;
  throw refuse(`job ${found.jobId} could be captured until ${isoTime(deadline)}: refund it`);
}

/** Who gets what of a job that a result captures. */
async function changeBy(
  context: EscrowContext,
  {
    job,
    jobId,
    result,
  }: { job: EscrowJob; jobId: string; result: Pick<InferenceResult, "price" | "requestId"> },
): Promise<string> {
  const { payee, token: address, feeBps } = job.terms;
  const { price, requestId } = result;
  const token = await tokenAt(context, address);
  const fee = (price * feeBps) / WHOLE;
  return (
    `job ${jobId}: open -> captured by request ${requestId}, ` +
    `${amountWords(price - fee, token)} to ${payee}, ${amountWords(fee, token)} of fee, ` +
    `${amountWords(job.amount - price, token)} back to ${job.payer}`
  );
}

/** The contract counts parts in hundredths of a percent. */
const WHOLE = 10_000n;

/** A result as its settlement's event has it. Error: `escrow.refused` if it was not settled alone. */
async function settledResult(
  { session }: EscrowContext,
  requestId: string,
): Promise<{ result: InferenceResult; kind: bigint }> {
  const { book, provider } = session;
  const settlement = interfaceOf("InferenceSettlement");
  const logs = await readAllLogs({
    ...{ provider, address: addressOf(book, "InferenceSettlement") },
    topics: [settlement.getEvent("InferenceSettled")?.topicHash ?? "", requestId],
    fromBlock: book.contracts.InferenceSettlement.block,
  });
  // A request may have a Vanilla row and one other; the Vanilla one never pays.
  for (const log of logs) {
    const args = settlement.parseLog(log)?.args;
    if (args === undefined || args.verification === VANILLA) continue;
    const { inputHash, modelVersion, outputHash, price, requester, teeId, timestamp } = args;
    const result = { modelVersion, inputHash, outputHash, requester, requestId, price, timestamp };
    return { result: { ...result, teeId }, kind: args.verification };
  }
  throw refuse(`no result of request ${requestId} was settled alone with a proof or a signature`);
}

const VANILLA = 0n;

/** Error: `escrow.refused`, with the first thing in which a result is not what the job waits for. */
function requireFits(parameters: {
  job: EscrowJob;
  /** the bit of the result's kind */
  kind: bigint;
  result: Pick<InferenceResult, "inputHash" | "price" | "requester" | "requestId">;
}): void {
  const { job, kind, result } = parameters;
  const { kinds, node, requestHash } = job.terms;
  if ((kinds & kind) === 0n) {
    throw refuse(
      `the job takes ${escrowKindsInWords(kinds)}, and the result is ${escrowKindsInWords(kind)}`,
    );
  }
  const { node: answered } = decodeRequestId(result.requestId);
  for (const [subject, expected, actual] of [
    ["node", node, answered],
    ["payer", job.payer, result.requester],
    ["request hash", requestHash, result.inputHash],
  ] as const) {
    if (expected.toLowerCase() === actual.toLowerCase()) continue;
    throw refuse(`the job is of ${subject} ${expected}, and the result of ${actual}`);
  }
  if (result.price === 0n || result.price > job.amount) {
    throw refuse(
      `the result's price of ${result.price} smallest units is none, or above the ${job.amount} that are held`,
    );
  }
}

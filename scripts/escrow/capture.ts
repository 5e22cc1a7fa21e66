import { escrowKindsInWords } from "@haca/protocol/inferenceEscrow";
import { addressOf } from "../lib/chainSession.ts";
import { interfaceOf } from "../lib/contracts.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { sendCall } from "../lib/sendCall.ts";
import { isoTime } from "../lib/words.ts";
import {
  amountWords,
  type EscrowContext,
  hashArgument,
  refuse,
  type SendOptions,
  tokenAt,
  withEscrow,
} from "./context.ts";
import { findOpenJob, type Job } from "./jobs.ts";

/** Shows the escrow a result that was settled alone. Errors: `escrow.badArgument`, `escrow.refused`, those of `sendCall`. */
export function capture(options: SendOptions & { job: string; request: string }): Promise<void> {
  const requestId = hashArgument("request", options.request);
  return withEscrow(options.network, async (context) => {
    const { escrow, now, session } = context;
    const { job, jobId } = await findOpenJob(context, options.job);
    if (now >= job.deadline) {
      throw refuse(`job ${jobId} could be captured until ${isoTime(job.deadline)}: refund it`);
    }
    const { kind, result } = await settledResult(context, requestId);
    requireFits({ job, kind, result });
    const token = await tokenAt(context, job.terms.token);
    const fee = (result.price * job.terms.feeBps) / WHOLE;
    console.log(
      `change       job ${jobId}: open -> captured by request ${requestId}, ` +
        `${amountWords(result.price - fee, token)} to ${job.terms.payee}, ${amountWords(fee, token)} of fee, ` +
        `${amountWords(job.amount - result.price, token)} back to ${job.payer}`,
    );
    const signer = await session.signer(options.account);
    await sendCall({
      ...{ contract: escrow, signer, name: "capture", values: [job, result, kind] as const },
      question: session.question("Capture it?", options),
    });
  });
}

/** The contract counts parts in hundredths of a percent. */
const WHOLE = 10_000n;

type Result = {
  modelVersion: string;
  inputHash: string;
  outputHash: string;
  requester: string;
  requestId: string;
  price: bigint;
  timestamp: bigint;
  teeId: string;
};

/** A result as its settlement's event has it. Error: `escrow.refused` if it was not settled alone. */
async function settledResult(
  { session }: EscrowContext,
  requestId: string,
): Promise<{ result: Result; kind: bigint }> {
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
function requireFits({ job, kind, result }: { job: Job; kind: bigint; result: Result }): void {
  const { kinds, requestHash } = job.terms;
  if ((kinds & (1n << kind)) === 0n) {
    throw refuse(
      `the job takes ${escrowKindsInWords(kinds)}, and the result is ${escrowKindsInWords(1n << kind)}`,
    );
  }
  if (result.inputHash !== requestHash) {
    throw refuse(`the job is for request hash ${requestHash}, the result for ${result.inputHash}`);
  }
  if (result.price === 0n || result.price > job.amount) {
    throw refuse(`the result's price of ${result.price} units is none, or above ${job.amount}`);
  }
}

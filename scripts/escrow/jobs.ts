import { BaseError } from "@haca/protocol/baseError";
import type { EscrowJob } from "@haca/protocol/escrowCalls";
import { JOB_STATUSES, type JobStatus } from "@haca/protocol/inferenceEscrow";
import type { LogDescription } from "ethers";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { type EscrowContext, hashArgument, refuse } from "./context.ts";
import type { FoundJob } from "./foundJob.ts";
import { readPayments } from "./payments.ts";

type Event = "JobOpened" | "JobCaptured" | "JobRefunded" | "JobCancelled";
type Found = { args: LogDescription["args"]; transaction: string };

/** Events of the escrow since its deployment, of one job or of all. */
async function readEvents(
  { escrow, session }: EscrowContext,
  event: Event,
  jobId?: string,
): Promise<Found[]> {
  const { book, provider } = session;
  const logs = await readAllLogs({
    ...{ provider, address: escrow.target },
    topics: [escrow.interface.getEvent(event)?.topicHash ?? "", jobId ?? null],
    fromBlock: book.contracts.InferenceEscrow?.block ?? 0,
  });
  return logs.flatMap((log) => {
    const parsed = escrow.interface.parseLog(log);
    return parsed === null ? [] : [{ args: parsed.args, transaction: log.transactionHash }];
  });
}

/** The job of an id. Errors: `escrow.badArgument`, `escrow.unknown`. */
export async function findJob(context: EscrowContext, text: string): Promise<FoundJob> {
  const jobId = hashArgument("job", text);
  const [opened] = await readEvents(context, "JobOpened", jobId);
  if (opened !== undefined) return describeJob(context, opened);
  const [payment] = await readPayments(context, { paymentHash: jobId });
  if (payment !== undefined) return payment;
  const { chainId } = context.session;
  throw new BaseError({
    code: "escrow.unknown",
    message: `no job ${jobId} was ever opened in the escrow of chain ${chainId}, ${context.escrow.target}`,
  });
}

/** The same, if it is open still. Error: `escrow.refused`. */
export async function findOpenJob(context: EscrowContext, text: string): Promise<FoundJob> {
  const found = await findJob(context, text);
  if (found.status === "Open") return found;
  throw refuse(`job ${found.jobId} was ${found.status.toLowerCase()}`);
}

/** Every job of a payer: those of the escrow, and then those of operators, the oldest first. */
export async function jobsOf(context: EscrowContext, payer: string): Promise<FoundJob[]> {
  const opened = await readEvents(context, "JobOpened");
  const found: FoundJob[] = [];
  for (const event of opened) {
    if (event.args.job.payer === payer) found.push(await describeJob(context, event));
  }
  return [...found, ...(await readPayments(context, { payer }))];
}

async function describeJob(context: EscrowContext, opened: Found): Promise<FoundJob> {
  const { job: raw, jobId } = opened.args;
  const { terms, ...rest } = raw.toObject();
  const job = { ...rest, terms: terms.toObject() } as EscrowJob;
  const status = JOB_STATUSES[Number(await context.escrow.statusOf(jobId))] ?? "None";
  const end = status === "Open" ? null : await readEnd(context, { jobId, job, status });
  return { jobId, job, commerce: null, kept: 0n, status, opened: opened.transaction, end };
}

async function readEnd(
  context: EscrowContext,
  { job, jobId, status }: { jobId: string; job: EscrowJob; status: JobStatus },
): Promise<FoundJob["end"]> {
  const [ended] = await readEvents(context, `Job${status}` as Event, jobId);
  if (ended === undefined) return null;
  const { args, transaction } = ended;
  if (status !== "Captured") {
    return { transaction, requestId: null, price: null, fee: null, returned: args.amount };
  }
  const { fee, price, requestId } = args;
  return { transaction, requestId, price, fee, returned: job.amount - price };
}

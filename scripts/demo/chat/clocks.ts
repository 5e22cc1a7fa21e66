import { escrowInterface, jobOpenedIn } from "@haca/protocol/escrowCalls";
import { escrowJobId, JOB_STATUSES, type JobStatus } from "@haca/protocol/inferenceEscrow";
import type { JsonRpcProvider } from "ethers";
import { z } from "zod";
import { formatTable } from "../../lib/table.ts";
import { isoTime } from "../../lib/words.ts";
import type { ChatAnswer } from "./payer.ts";

/** When something became of a request, and by which transaction, where it was one. */
export type Clock = {
  name: "answered" | "signed" | "paid" | "settled" | "final" | "captured" | "refunded";
  /** unix seconds */
  at: number;
  transaction: string | undefined;
};

/** A request of the demo, by name, and what is known of it. */
export type Told = { name: string; clocks: readonly Clock[] };

/** A table with one line a clock: "paid" is frozen, and none is shown as another. */
export const clocksTable = (told: readonly Told[]): string =>
  formatTable({
    columns: ["request", "clock", "time", "transaction"],
    rows: told.flatMap(({ clocks, name }) =>
      clocks.map((clock, index) => [
        ...[index === 0 ? name : "", clock.name, isoTime(clock.at), clock.transaction ?? "–"],
      ]),
    ),
  });

/** Clocks that the client knows. */
export const answerClocks = (answer: ChatAnswer): Clock[] => [
  { name: "answered", at: answer.answeredAt, transaction: undefined },
  { name: "signed", at: answer.signedAt, transaction: undefined },
];

/** The clock of a transaction: the time of its block. */
export async function clockOf(
  provider: JsonRpcProvider,
  name: Clock["name"],
  transaction: string,
): Promise<Clock> {
  const receipt = await provider.getTransactionReceipt(transaction);
  const block = receipt === null ? null : await provider.getBlock(receipt.blockNumber);
  if (block === null) throw new RangeError(`${transaction} is in no block`);
  return { name, at: block.timestamp, transaction };
}

const jobSchema = z.object({
  state: z.string(),
  failure: z.string().nullish(),
  transaction: z.object({ hash: z.string() }).nullish(),
});
/** What a worker says of a result. */
export async function workerJob(workerUrl: string, requestId: string) {
  const response = await fetch(`${workerUrl}/v1/results/${requestId}`);
  return jobSchema.parse(await response.json());
}

/** The job that a payment opened in the escrow, as the chain tells it. */
export async function heldJob(parameters: {
  provider: JsonRpcProvider;
  escrow: string;
  /** the transaction that opened it */
  paid: string;
}) {
  const { escrow, paid, provider } = parameters;
  const receipt = await provider.getTransactionReceipt(paid);
  const logs = receipt?.logs ?? [];
  const topic = escrowInterface.getEvent("JobOpened")?.topicHash;
  const log = logs.find(({ topics }) => topics[0] === topic);
  const opened = log && escrowInterface.parseLog(log)?.args.job;
  const who = { payer: String(opened?.payer), nonce: BigInt(opened?.nonce ?? 0n) };
  const job = opened && jobOpenedIn({ logs, escrow, ...who });
  if (job === undefined) throw new RangeError(`${paid} opened no job`);
  return { job, jobId: escrowJobId(who) };
}

/** How a job stands, and the transaction that ended it. */
export async function endOf(parameters: {
  provider: JsonRpcProvider;
  escrow: string;
  jobId: string;
}): Promise<{ status: JobStatus; transaction: string | undefined }> {
  const { escrow, jobId, provider } = parameters;
  const data = escrowInterface.encodeFunctionData("statusOf", [jobId]);
  const [number] = escrowInterface.decodeFunctionResult(
    "statusOf",
    await provider.call({ to: escrow, data }),
  );
  const status = JOB_STATUSES[Number(number)] ?? "None";
  const event = escrowInterface.getEvent(`Job${status}`);
  const topics = [event?.topicHash ?? "", jobId];
  const logs =
    event === null ? [] : await provider.getLogs({ address: escrow, topics, fromBlock: 0 });
  return { status, transaction: logs[0]?.transactionHash };
}

import { escrowKindsInWords } from "@haca/protocol/inferenceEscrow";
import { ZeroAddress } from "ethers";
import { duration, isoTime } from "../lib/words.ts";
import {
  addressArgument,
  amountWords,
  badArgument,
  type EscrowContext,
  percent,
  type ReadOptions,
  type Token,
  tokenAt,
  tokenOrUnits,
  withEscrow,
} from "./context.ts";
import type { FoundJob } from "./foundJob.ts";
import { findJob, jobsOf } from "./jobs.ts";

/** Of its text. */
const ADDRESS_LENGTH = 42;

/** Tells of a job, or of a payer's jobs and credits. Errors: `escrow.badArgument`, `escrow.unknown`. */
export function status(options: ReadOptions & { subject: string; json?: true }): Promise<void> {
  const { json, network, subject } = options;
  if (!/^0x([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$/.test(subject)) {
    throw badArgument(`${subject} is neither a job's id, 0x and 64 hex digits, nor an address`);
  }
  return withEscrow(network, async (context) => {
    const { session, now } = context;
    const payer = subject.length === ADDRESS_LENGTH ? addressArgument("payer", subject) : undefined;
    const jobs =
      payer === undefined ? [await findJob(context, subject)] : await jobsOf(context, payer);
    const credits = payer === undefined ? [] : await creditsOf(context, payer, jobs);
    if (json) {
      const tokens: Token[] = [];
      for (const address of new Set(jobs.map(({ job }) => job.terms.token))) {
        tokens.push(await tokenOrUnits(context, address));
      }
      const { chainId } = session;
      const escrow = context.escrow.target;
      const value = { chainId, escrow, now, tokens, jobs, credits };
      console.log(JSON.stringify(value, asText, 2));
      return;
    }
    if (payer !== undefined) {
      console.log(`${jobs.length} ${jobs.length === 1 ? "job" : "jobs"} of payer ${payer}`);
    }
    for (const [index, job] of jobs.entries()) {
      if (payer !== undefined || index > 0) console.log("");
      console.log((await jobLines(context, job)).join("\n"));
    }
    for (const { amount, token } of credits) {
      const words = amountWords(amount, await tokenOrUnits(context, token));
      console.log(`\ncredit       ${words}, whose transfer failed: npm run escrow -- withdraw`);
    }
  });
}

/** Integers of a chain are decimal strings. */
const asText = (_: string, value: unknown): unknown =>
  typeof value === "bigint" ? String(value) : value;

/** What failed transfers left a payer, in the tokens of their jobs and in OPG. */
async function creditsOf(
  context: EscrowContext,
  payer: string,
  jobs: readonly FoundJob[],
): Promise<{ token: string; amount: bigint }[]> {
  const opg = await tokenAt(context);
  const tokens = new Set([opg.address, ...jobs.map(({ job }) => job.terms.token)]);
  const credits: { token: string; amount: bigint }[] = [];
  for (const token of tokens) {
    const amount = await context.escrow.creditOf(token, payer);
    if (amount > 0n) credits.push({ token, amount });
  }
  return credits;
}

async function jobLines(context: EscrowContext, found: FoundJob): Promise<string[]> {
  const { job, jobId, opened } = found;
  const { feeBps, kinds, node, payee, requestHash } = job.terms;
  const token = await tokenOrUnits(context, job.terms.token);
  const fee = job.feeReceiver === ZeroAddress ? "none" : `${percent(feeBps)} to ${job.feeReceiver}`;
  return [
    `job ${jobId}`,
    ...(found.commerce === null ? [] : [`  operator   ${found.commerce.operator}`]),
    `  status     ${statusWords(found, { now: context.now, token })}`,
    `  held       ${found.status === "Open" ? amountWords(job.amount, token) : "nothing"}`,
    `  permitted  ${amountWords(job.amount, token)} by ${job.payer}, nonce ${job.nonce}`,
    `  token      ${token.address}, ${token.decimals} decimals`,
    `  payee      ${payee}, fee ${fee}`,
    `  node       ${node}`,
    `  request    ${requestHash}`,
    `  captured by ${escrowKindsInWords(kinds)}`,
    `  deadline   ${isoTime(job.deadline)}`,
    `  opened     transaction ${opened}`,
    ...(found.end === null ? [] : [`  ended      transaction ${found.end.transaction}`]),
  ];
}

/** How a job stands, in one line. */
function statusWords(found: FoundJob, { now, token }: { now: bigint; token: Token }): string {
  const { end, job, status } = found;
  if (end?.requestId != null) {
    const [price, fee] = [end.price ?? 0n, end.fee ?? 0n];
    return (
      `captured by request ${end.requestId}: ${amountWords(price - fee, token)} to the payee, ` +
      `${amountWords(fee, token)} of fee, ${amountWords(end.returned, token)} back` +
      (found.kept === 0n
        ? ""
        : `, ${amountWords(found.kept, token)} kept: npm run escrow -- refund`)
    );
  }
  if (status === "Reclaimed") return "reclaimed by the payer at the public escrow";
  if (end !== null) return `${status.toLowerCase()}: ${amountWords(end.returned, token)} back`;
  return now < job.deadline
    ? `open: frozen for the node's result, for ${duration(job.deadline - now)} more`
    : "open, and its deadline is over: npm run escrow -- refund";
}

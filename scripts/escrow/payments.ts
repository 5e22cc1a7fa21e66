import {
  type CommerceJob,
  commerceEscrow,
  OPERATOR_STATUSES,
} from "@haca/protocol/commercePayments";
import { type Log, type LogDescription, type Provider, zeroPadValue } from "ethers";
import { contractAt, interfaceOf } from "../lib/contracts.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import type { EscrowContext } from "./context.ts";
import type { FoundJob } from "./foundJob.ts";
import type { PaidTerms } from "./terms.ts";

/** Nothing says when an operator's job may be opened at the latest: what the escrow's terms have for it. */
const NO_WINDOW = 0n;

/** Jobs of the deployment's operators of commerce payments: of a payment's hash, or of a payer. */
export async function readPayments(
  context: EscrowContext,
  wanted: { paymentHash: string } | { payer: string },
): Promise<FoundJob[]> {
  const operators = await readOperators(context);
  if (operators.size === 0) return [];
  const opened = await readEvents(context, {
    ...{ event: "JobOpened", operators: [...operators.keys()] },
    ...("payer" in wanted
      ? { topics: [null, zeroPadValue(wanted.payer, WORD)] }
      : { topics: [wanted.paymentHash] }),
  });
  return Promise.all(
    opened.map((event) => {
      const terms = operators.get(event.address);
      if (terms === undefined) throw new Error(`no terms of ${event.address}`);
      return describe(context, terms, event);
    }),
  );
}

const WORD = 32;

type Event = { address: string; transaction: string; args: LogDescription["args"] };
type OperatorEvent = "JobOpened" | "JobCaptured" | "JobRefunded" | "JobCancelled";

/** Terms of every operator that was made, by its address. */
async function readOperators({
  session,
}: EscrowContext): Promise<Map<string, PaidTerms & { token: string }>> {
  const { book, provider } = session;
  const { CommerceOperators } = book.contracts;
  if (CommerceOperators === undefined) return new Map();
  const abi = interfaceOf("CommerceOperators");
  const logs = await readAllLogs({
    ...{ provider, address: CommerceOperators.address, fromBlock: CommerceOperators.block },
    topics: [abi.getEvent("OperatorCreated")?.topicHash ?? ""],
  });
  return new Map(
    logs.flatMap((log) => {
      const args = abi.parseLog(log)?.args;
      if (args === undefined) return [];
      const { node, payee, token, feeReceiver, feeBps, kinds } = args.terms;
      return [[args.operator as string, { node, payee, token, feeReceiver, feeBps, kinds }]];
    }),
  );
}

async function readEvents(
  { session }: EscrowContext,
  parameters: { event: OperatorEvent; operators: string[]; topics: (string | null)[] },
): Promise<Event[]> {
  const { event, operators, topics } = parameters;
  const abi = interfaceOf("CommerceOperator");
  const logs = await readAllLogs({
    ...{ provider: session.provider, address: operators },
    topics: [abi.getEvent(event)?.topicHash ?? "", ...topics],
    fromBlock: session.book.contracts.CommerceOperators?.block ?? 0,
  });
  return logs.flatMap((log: Log) => {
    const parsed = abi.parseLog(log);
    const { address, transactionHash: transaction } = log;
    return parsed === null ? [] : [{ address, transaction, args: parsed.args }];
  });
}

async function describe(
  context: EscrowContext,
  terms: PaidTerms & { token: string },
  { address, args, transaction }: Event,
): Promise<FoundJob> {
  const { node, payee, token, feeReceiver, feeBps, kinds } = terms;
  const { job: raw, paymentHash: jobId } = args;
  const { payment, requestHash, saltNonce } = raw.toObject();
  const job = { payment: payment.toObject(), requestHash, saltNonce } as CommerceJob;
  const { authorizationExpiry: deadline, maxAmount: amount, payer } = job.payment;
  const runner = context.session.provider;
  const contract = contractAt({ name: "CommerceOperator", address, runner });
  const status = OPERATOR_STATUSES[Number(await contract.statusOf(job.payment))];
  const find = async (event: OperatorEvent) => {
    const [found] = await readEvents(context, {
      ...{ event, operators: [address], topics: [jobId] },
    });
    return found;
  };
  const found = {
    ...{ jobId, commerce: { operator: address, job }, opened: transaction, kept: 0n },
    job: {
      terms: { node, payee, requestHash, token, feeBps, kinds, captureWindow: NO_WINDOW },
      ...{ payer, nonce: saltNonce, amount, deadline, feeReceiver },
    },
  };
  if (status === "None" || status === "Open") return { ...found, status, end: null };
  if (status === "Captured") {
    const captured = await find("JobCaptured");
    if (captured === undefined) throw new Error(`no log of the capture of ${jobId}`);
    const { fee, price, requestId } = captured.args;
    // The payer may have reclaimed a rest, which no operator tells of.
    const kept = await heldFor({ runner, commerce: await contract.COMMERCE(), jobId });
    const end = { transaction: captured.transaction, requestId, price, fee };
    return { ...found, status, kept, end: { ...end, returned: amount - price - kept } };
  }
  const refunded = await find("JobRefunded");
  const cancelled = refunded ?? (await find("JobCancelled"));
  if (cancelled === undefined) return { ...found, status: "Reclaimed", end: null };
  return {
    ...{ ...found, status: refunded === undefined ? "Cancelled" : "Refunded" },
    end: {
      ...{ transaction: cancelled.transaction, requestId: null, price: null, fee: null },
      returned: cancelled.args.amount,
    },
  };
}

/** Smallest units that the public escrow still holds of a payment. */
async function heldFor(of: {
  runner: Pick<Provider, "call">;
  commerce: string;
  jobId: string;
}): Promise<bigint> {
  const data = commerceEscrow.encodeFunctionData("paymentState", [of.jobId]);
  const answer = await of.runner.call({ to: of.commerce, data });
  return commerceEscrow.decodeFunctionResult("paymentState", answer).held;
}

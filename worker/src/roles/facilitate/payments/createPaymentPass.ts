import type { TransactionReceipt } from "ethers";
import type { Logger } from "pino";
import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import type { Database } from "../../../storage/database.ts";
import type { Sender } from "../../../transactions/sender.ts";
import { WouldRevertError } from "../../../transactions/sendTransaction.ts";
import type { Payment } from "./payment.ts";
import type { PaymentChain } from "./paymentChain.ts";
import {
  decidePayment,
  listDuePayments,
  type PaymentOutcome,
  restPayment,
  unsendPayment,
} from "./paymentQueue.ts";
import { purposeOf } from "./paymentStore.ts";

/** Payments that a pass advances. */
const LIMITS = { unsent: 32, sent: 256 };
/** Rest of a payment that the endpoint does not take, or that is not certain yet, while others go on. */
const REST_SECONDS = 5;

const NOT_CERTAIN = "somebody else has used the authorization: waiting for confirmations";

export type PaymentPassContext = {
  database: Database;
  sender: Pick<Sender, "send" | "findMined">;
  chain: PaymentChain;
  logger: Logger;
};

/**
 * Brings each payment on: transaction recorded and sent, receipt found, outcome recorded. Each step is on disk before the
 * next; whoever takes over finds the transaction by the payment. Several processes may: what they do twice, they do to one
 * transaction, because a payment is tied to it in the commit that gives it a nonce.
 */
export function createPaymentPass(context: PaymentPassContext): () => Promise<boolean> {
  const { database, logger } = context;
  return async () => {
    let changes = 0;
    for (const payment of await listDuePayments({ database, limits: LIMITS })) {
      try {
        if (await advance({ context, payment })) changes += 1;
      } catch (error) {
        if (!(error instanceof RefusedByEndpointError)) throw error;
        const words = `${error.code}: ${describeError(error)}`;
        logger.warn({ payment: payment.id, error: words }, "payment waits: later");
        await restPayment({ database, id: payment.id, error: words, seconds: REST_SECONDS });
      }
    }
    return changes > 0;
  };
}

/** One step. Returns whether it got further. */
async function advance(parameters: {
  context: PaymentPassContext;
  payment: Payment;
}): Promise<boolean> {
  const { context, payment } = parameters;
  const { chain, database, sender } = context;
  const { transaction } = payment;
  if (transaction === null) return await send({ context, payment });
  if (transaction.isDropped) {
    await unsendPayment({ database, payment });
    return true;
  }
  const receipt: TransactionReceipt | undefined = await sender.findMined(transaction);
  if (receipt === undefined) return false;
  return await decide({ context, payment, outcome: await chain.judge(payment, receipt) });
}

/** Sends a payment for the first time; while gas is above the ceiling, it waits until it is too late for it. */
async function send(parameters: {
  context: PaymentPassContext;
  payment: Payment;
}): Promise<boolean> {
  const { context, payment } = parameters;
  const { chain, sender } = context;
  const { data, to, validUntil } = payment;
  const isLate = BigInt(Math.floor(Date.now() / 1_000)) >= validUntil;
  if (isLate && (await chain.isExpired(payment))) {
    return await decide({ context, payment, outcome: await chain.explain(payment) });
  }
  try {
    return (await sender.send({ purpose: purposeOf(payment), to, data })) !== undefined;
  } catch (error) {
    if (!(error instanceof WouldRevertError)) throw error;
    return await decide({ context, payment, outcome: await chain.explain(payment) });
  }
}

async function decide(parameters: {
  context: PaymentPassContext;
  payment: Payment;
  outcome: PaymentOutcome | undefined;
}): Promise<boolean> {
  const { context, outcome, payment } = parameters;
  const { database } = context;
  const { id, payer } = payment;
  if (outcome === undefined) {
    await restPayment({ database, id, error: NOT_CERTAIN, seconds: REST_SECONDS });
    return false;
  }
  await decidePayment({ database, payment, outcome });
  const { mined, state } = outcome;
  const failure = outcome.state === "failed" ? outcome.failure : undefined;
  context.logger.info({ payment: id, payer, state, failure, transaction: mined?.hash }, "payment");
  return true;
}

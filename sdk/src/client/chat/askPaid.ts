import { BaseError } from "@haca/protocol/baseError";
import { hexOfText, keccak } from "../../bytes.ts";
import { oneLine } from "../../strangersWords.ts";
import type { Client } from "../client.ts";
import type { Paid, Payer, Payment, PaymentDemand } from "../payer.ts";
import type { ChatRequest } from "./chatOptions.ts";

/** How often a channel's voucher is signed anew for a request: for another sum, and with a deposit. */
const CHANNEL_ROUNDS = 2;

/** An answer as it came, and the header that says what became of its payment. */
export type Answered<Answer = unknown> = { answer: Answer; settled: string | undefined };

/** What of a client can be paid: nothing else is needed to ask again with the same. */
export const hashOfRequest = ({ salt, text }: Pick<ChatRequest, "salt" | "text">): string =>
  keccak(salt, hexOfText(text));

/**
 * Asks a node, and pays it where it wants to be paid: at most one payment leaves, and once it has left nobody else is asked.
 * @param parameters.before a payment that was signed for the request before, which is brought at once
 * @throws BaseError `payment.required` where nobody pays, `payment.…` for why not; after the payment `payment.refused`,
 *   `payment.askedAgain`, `payment.unanswered`; what `ask` throws
 */
export async function askPaid<Answer>(parameters: {
  client: Client;
  node: URL;
  request: ChatRequest;
  before: Payment | undefined;
  enclaveNode: string | undefined;
  ask: (payment: Payment | undefined) => Promise<Answered<Answer>>;
}): Promise<{ answer: Answer; paid: Paid | null }> {
  const { ask, before, client, enclaveNode, node, request } = parameters;
  const demandOf = (error: BaseError): PaymentDemand => ({
    ...{ node, enclaveNode, salt: request.salt, requestHash: hashOfRequest(request) },
    hashWith: (salt) => hashOfRequest({ ...request, salt }),
    offers: error.details.header as string | undefined,
  });
  if (before !== undefined) return await bring(before, client.payer);
  try {
    return { answer: (await ask(undefined)).answer, paid: null };
  } catch (error) {
    const { payer } = client;
    if (payer === undefined || !isDemand(error)) throw error;
    request.signal?.throwIfAborted();
    return await bring(await payer.pay(demandOf(error)), payer);
  }

  async function bring(first: Payment, payer: Payer | undefined) {
    let payment = first;
    try {
      for (let round = 0; ; round += 1) {
        try {
          const answered = await ask(payment);
          await payment.end?.(answered.settled);
          return answerOf(payment, answered);
        } catch (error) {
          const rounds = payment.end === undefined ? Number(payment.isRecalled) : CHANNEL_ROUNDS;
          if (!isDemand(error) || round >= rounds) throw await ended(error, payment);
          // Its node knows nothing of it, and the quote may be too old by now: the same bytes, under a quote of now. Of a channel it tells
          // what was charged, or that too little is in it.
          const renewed = await payer?.renew(payment, demandOf(error)).catch(async (reason) => {
            throw await ended(reason, payment);
          });
          if (renewed === undefined) throw await ended(error, payment);
          payment = renewed;
        }
      }
    } finally {
      await payment.end?.(undefined);
    }
  }

  async function ended(error: unknown, payment: Payment): Promise<unknown> {
    const settled = error instanceof BaseError ? error.details.settled : undefined;
    if (typeof settled === "string") await payment.end?.(settled);
    return afterPayment(error, payment, request);
  }
}

const answerOf = <Answer>(payment: Payment, { answer, settled }: Answered<Answer>) => ({
  ...{ answer, paid: paidBy(payment, settled) },
});

const isDemand = (error: unknown): error is BaseError & { code: "payment.required" } =>
  error instanceof BaseError && error.code === "payment.required";

/** What is told of a payment: without its header, which is as good as the money. */
function paidBy(
  { header: _header, isRecalled: _recalled, end: _end, ...terms }: Payment,
  settled?: string,
): Paid {
  const { transaction } = settlementIn(settled);
  return { ...terms, transaction };
}

/** What a node says of a settlement in a header of x402; nothing is concluded from it. */
function settlementIn(header: string | undefined): {
  transaction: string | null;
  reason: string | undefined;
} {
  try {
    const said: unknown = JSON.parse(atob(header ?? ""));
    const field = (name: string): unknown => Reflect.get(said as object, name);
    const [transaction, reason] = [field("transaction"), field("errorReason")];
    const isHash = typeof transaction === "string" && /^0x[0-9a-fA-F]{64}$/.test(transaction);
    return {
      transaction: isHash ? transaction.toLowerCase() : null,
      reason: typeof reason === "string" ? oneLine(reason) : undefined,
    };
  } catch {
    return { transaction: null, reason: undefined };
  }
}

/** Why there is no answer to a payment that has left. Nobody is asked again: only the caller knows whether it is worth it. */
function afterPayment(error: unknown, payment: Payment, { salt, signal }: ChatRequest): unknown {
  if (signal?.aborted) return signal.reason;
  if (!(error instanceof BaseError)) return error;
  const { settled } = error.details;
  const { reason } = settlementIn(settled as string | undefined);
  const paid = paidBy(payment, settled as string | undefined);
  const details = { ...error.details, payment: paid, salt };
  const most = `${payment.most} of ${payment.token}`;
  if (isDemand(error)) {
    const [code, words] =
      reason === undefined
        ? ["payment.askedAgain", `asks to be paid again, after ${most} were signed for it`]
        : ["payment.refused", `refuses the payment of ${most} (${reason})`];
    return new BaseError({
      ...{ code, details, cause: error },
      message: `${payment.node} ${words}; it is not paid again, and ${lifeOf(payment)}`,
    });
  }
  return new BaseError({
    ...{ code: "payment.unanswered", cause: error },
    details: { ...details, reason: error.code },
    message: `no answer after a payment of ${most}: ${error.message}; the same request under the same key brings the same payment`,
  });
}

const lifeOf = ({ route, validUntil }: Payment): string =>
  route === "channel"
    ? "what was signed for the channel stays good"
    : `can use the payment until ${new Date(Number(validUntil) * 1000).toISOString()}`;

/** The payment's place, for receipts. */
export function hintsOf(paid: Paid | null): Record<string, string> {
  if (paid === null) return {};
  const { escrow, nonce, operator, route, token, transaction } = paid;
  return {
    ...{ paymentRoute: route, paymentNonce: nonce, paymentToken: token },
    ...(escrow === null ? {} : { paymentEscrow: escrow }),
    ...(operator === undefined ? {} : { paymentOperator: operator }),
    ...(transaction === null ? {} : { paymentTransaction: transaction }),
  };
}

/** An error of an answer that was paid for, with what was paid, and where it may be asked for again by which salt. */
export function withPayment(error: unknown, paid: Paid | null, salt?: string): unknown {
  if (paid === null || !(error instanceof BaseError)) return error;
  const { code, message } = error;
  const details = { ...error.details, payment: paid, ...(salt !== undefined && { salt }) };
  return new BaseError({
    ...{ code, cause: error, details },
    message: `${message}; ${paid.most} of ${paid.token} were paid at most, by ${paid.route}`,
  });
}

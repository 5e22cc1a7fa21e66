import { encodePaymentResponseHeader } from "@x402/core/http";
import type { Network } from "@x402/core/types";
import type { Logger } from "pino";
import { RefusedRequestError } from "../gatewayError.ts";
import { UNOPENED } from "../ohttp/openRequest.ts";
import { type Grant, isGivenBack } from "./grant.ts";

/**
 * After the money is taken nothing is told that clients answer with another request, and payment, by themselves: not 408, 409, 429
 * or 5xx, of LangChain's client nothing but 400 to 407, 409 and 413.
 */
export const FAILED_PAID = 406;

/** Why a request is asked to pay, or to pay anew. */
const WORDS = {
  "payment.required": "this model's answers are paid for: see the header PAYMENT-REQUIRED",
  "payment.quoteUnknown": "the payment is for a quote that is too old, or none of this gateway",
  "payment.otherRequest": "the payment is for another request",
  "payment.doesNotFit":
    "the payment is not what was offered: amount, token, receiver, facilitator or time",
  "payment.notForSealed":
    "a sealed request is paid by exact alone: escrows pay for a result whose hash the payer has named, and who brings it does not know that",
  "payment.otherUnderNonce": "the nonce was used for another payment",
  "payment.cancelled": "the payment was given back: its request had no answer",
  "payment.refused": "the payment was refused: see the header PAYMENT-RESPONSE",
} as const;
export type RefusalCode = keyof typeof WORDS;

/** What x402 says to a request, as a refusal. */
export function refusalOf(
  code: RefusalCode,
  { headers, status }: { headers: Record<string, string>; status: number },
): RefusedRequestError {
  const { "Content-Type": _type, ...rest } = headers;
  return new RefusedRequestError({
    ...{ status: status === 412 ? 412 : 402, code, message: WORDS[code], headers: rest },
  });
}

/** The header of the payment is none. */
export const malformed = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 400, code: "payment.malformed", field: "payment-signature" },
    message: "payment-signature: is no payment of x402 in version 2 by Permit2 or EIP-3009",
  });

/** A salt of the client's that begins as those do that are made for other tokens. */
export const saltOfOthers = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 400, code: "salt.reserved", field: "haca-salt" },
    message:
      "haca-salt: begins as those of requests that are paid in another token: give another salt",
  });

/** The answer is gone, and the money with it. */
export const notKept = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: FAILED_PAID, code: "payment.answerNotKept" },
    message: "the answer that this payment was for is not kept any more",
  });

/** Without a note no money is taken. */
export const noLedger = (cause: unknown): never => {
  throw new RefusedRequestError({
    ...{ status: 503, code: "payment.notKept", retryAfter: 5, cause },
    message: "the gateway cannot note payments now, and takes none",
  });
};

/** The payer has given the name of its payment to another request. */
export const otherNamed = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 400, code: "payment.otherUnderIdentifier", field: "payment-signature" },
    message: "payment-signature: the identifier of the payment is that of another request",
  });

/** A request that was paid for under this name has no answer yet, and only the payment that it was paid with makes one. */
export const namedUnderWay = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: FAILED_PAID, code: "payment.underWay" },
    message: "the request of this identifier is paid for by another payment: send that one again",
  });

/** What an answer says of its payment. */
export const paidHeaders = (
  { amount, payer, transaction }: Grant,
  network: Network,
): Record<string, string> => ({
  "payment-response": encodePaymentResponseHeader({
    ...{ success: true, transaction: transaction ?? "", payer, amount, network },
  }),
  "cache-control": "private, no-store",
});

/** The same answer, with what x402 says of it. */
export function withHeaders(response: Response, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** Why a request that was paid has no answer, in words that no client answers with another payment. */
export function failedPaid(parameters: {
  error: unknown;
  grant: Grant;
  network: Network;
  logger: Logger;
}): RefusedRequestError {
  const { error, grant, logger, network } = parameters;
  const isKnown = error instanceof RefusedRequestError;
  if (!isKnown) logger.error({ err: error }, "a paid request failed");
  const code = isKnown ? error.code : "gateway.failed";
  const what = isGivenBack(grant) ? BACK : AGAIN;
  return new RefusedRequestError({
    ...{ status: FAILED_PAID, code, headers: paidHeaders(grant, network), cause: error },
    message: `${isKnown ? error.message : "internal error"}; ${code === UNOPENED ? GONE : what}`,
  });
}

/** Statuses that no client answers by asking again. */
const FINAL = new Set([400, 413, 415, FAILED_PAID]);

/** The refusal of a sealed request whose payment is kept, as its client reads it. */
export const sealedAfterPayment = (error: RefusedRequestError): RefusedRequestError =>
  FINAL.has(error.status)
    ? error
    : new RefusedRequestError({
        ...{ status: FAILED_PAID, code: error.code, cause: error },
        message: `${error.message}; ${AGAIN}`,
      });

const BACK = "what is held for this request goes back to the payer";
const AGAIN = "the same request with the same payment is answered without another";
const GONE = "the key that it was sealed to is gone, and its answer is not kept";

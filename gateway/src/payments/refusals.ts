import { RefusedRequestError } from "../gatewayError.ts";

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

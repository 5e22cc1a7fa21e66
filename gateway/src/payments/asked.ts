import type { PaymentPayload } from "@x402/core/types";
import { type Repeat, repeatOf } from "../answers/answerFile.ts";
import { inputHashOf } from "../profile/hashes.ts";
import type { Grant } from "./grant.ts";
import { saltUnder } from "./namedRequest.ts";
import { keyOf, requestBytes } from "./paidRequest.ts";
import type { Payable } from "./payable.ts";
import type { Payment } from "./payment.ts";
import type { PaymentSettings } from "./paymentSettings.ts";
import type { Quote } from "./quote.ts";
import { namedUnderWay } from "./refusals.ts";

/** A request that comes with a payment. */
export type Asked = {
  id: string;
  header: string;
  payload: PaymentPayload;
  payment: Payment;
  quote: Quote;
  /** as they are for the quote's token */
  settings: PaymentSettings;
  request: Payable & { repeat: Repeat };
  /** the request as it came */
  own: Payable;
  /** what a request has in common with its repetitions, whatever it is paid in */
  same: string;
  url: string;
  /** what the payer calls the request, where it has signed the payment */
  name: string | undefined;
  /** whether the payer's own key has signed */
  isSigned: boolean;
};

/** Under which the answer to a request is kept that this payment was for. */
export const repeatFor = (of: Pick<Grant, "id" | "contentHash">, request: Payable): Repeat =>
  repeatOf({ key: keyOf(of), request: requestBytes(request, request.salt) });

/** A request as it was first paid for, by a payment that nobody may have here any more. @throws RefusedRequestError 406 while it has no answer */
export function answeredAs(asked: Asked, { contentHash, id, named, state }: Grant): Asked {
  if (state !== "answered") throw namedUnderWay();
  const { body, inputHash: hash, salt: own } = asked.request;
  const { name = "", same } = asked;
  // In another token it has another salt, too; sealed ones have none.
  const salt = (named && saltUnder(named, name, same)) || own;
  const inputHash = salt === own ? hash : inputHashOf(salt, body);
  const request = { ...asked.request, salt, inputHash };
  const repeat = repeatFor({ id, contentHash }, request);
  const payment = { ...asked.payment, contentHash };
  return { ...asked, id, payment, request: { ...request, repeat } };
}

/** What a payer says a second time. */
export const keyOfSame = ({ payment, same }: Asked): string => `${payment.payer} ${same}`;

import { commerceDeploymentAt } from "@haca/protocol/commerceEscrows";
import { readCommerceJob } from "@haca/protocol/commercePayload";
import type { CommerceJob } from "@haca/protocol/commercePayments";
import { isSameHex } from "@haca/protocol/isSameHex";
import { cloneOf, commerceOffer } from "./offers.ts";
import { type Payment, SCHEMES } from "./payment.ts";
import type { PaymentSettings } from "./paymentSettings.ts";
import type { Quote } from "./quote.ts";

type Parameters = {
  /** as they are for the quote's token, which not every route is in */
  settings: Pick<PaymentSettings, "chainId" | "escrow" | "operator" | "payee" | "routes">;
  payment: Payment;
  quote: Quote;
};

/** Whether what was signed pays just what the quote says to just whom it says. */
export function fitsQuote(parameters: Parameters & { scheme: string }): boolean {
  const { payment, quote, scheme, settings } = parameters;
  const { escrow, payee, routes } = settings;
  const { amount, facilitator, receiver, route, token } = payment;
  if (!routes.includes(route) || scheme !== SCHEMES[route]) return false;
  if (amount !== BigInt(quote.amount) || !isSameHex(quote.payee, payee)) return false;
  if (route === "exact") return isSameHex(receiver, payee);
  if (route === "commerce") return commerceJobOf(parameters) !== undefined;
  if (escrow === undefined) return false;
  const isOurs = isSameHex(receiver, escrow) && isSameHex(facilitator, cloneOf(escrow, quote));
  return isOurs && isSameHex(token, quote.token);
}

/** The job that a payment of the route `commerce` opens, if it is made of the quote's offer; undefined where it is not. */
export function commerceJobOf({ payment, quote, settings }: Parameters): CommerceJob | undefined {
  const { chainId, operator } = settings;
  const { commerce: payload } = payment;
  const { commerceEscrow, requestHash } = quote;
  const deployment = commerceEscrow && commerceDeploymentAt(commerceEscrow);
  if (payload === undefined || operator === undefined || !deployment) return undefined;
  const offer = commerceOffer(operator, quote);
  const found = readCommerceJob({ payload, offer, requestHash, chainId, deployment });
  return "job" in found ? found.job : undefined;
}

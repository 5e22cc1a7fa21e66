import type { Logger } from "pino";
import { RefusedRequestError } from "../gatewayError.ts";
import type { Facilitator } from "./facilitator.ts";
import { judgeOperator } from "./operatorProblem.ts";
import { type Payable, routesFor } from "./payable.ts";
import type { Route } from "./payment.ts";
import type { PaymentSettings } from "./paymentSettings.ts";
import { type Price, priceFor } from "./prices.ts";
import { QUOTE_SECONDS, type Quote, type Quotes } from "./quote.ts";
import { type Rate, type Rates, ratesOf, unitsFor } from "./rate.ts";
import { requestIn } from "./tokenSalt.ts";

/** Makes the quotes of requests in one token: what they cost now, under which terms. */
export class Quoting {
  readonly #settings: PaymentSettings;
  readonly #facilitator: Facilitator;
  readonly #quotes: Quotes;
  readonly #rates: Rates | undefined;
  readonly #logger: Logger;

  constructor(parameters: {
    /** as they are for the token */
    settings: PaymentSettings;
    facilitator: Facilitator;
    quotes: Quotes;
    logger: Logger;
  }) {
    this.#settings = parameters.settings;
    this.#facilitator = parameters.facilitator;
    this.#quotes = parameters.quotes;
    this.#logger = parameters.logger;
    this.#rates = ratesOf(parameters.settings.prices.rate, parameters.logger);
  }

  /** Whether a request is paid in the token. */
  hasPrice(request: Payable): boolean {
    return priceFor(this.#settings.prices, request) !== undefined;
  }

  /**
   * @throws RefusedRequestError 503 where there is no price now, or nobody who would take the money: then nobody is asked for it
   */
  async quoteFor(asked: Payable): Promise<Quote> {
    const request = requestIn(this.#settings, asked);
    const { captureWindow, escrow, kinds, node, payee, prices, token } = this.#settings;
    const routes = routesFor(this.#settings, request);
    const supported = await this.#facilitator.supported();
    if (routes.includes("escrow")) {
      const there = supported.escrow?.address.toLowerCase();
      if (there !== escrow?.toLowerCase()) throw notTaken("openings of jobs of this escrow");
    }
    if (routes.includes("exact") && !supported.exact) throw notTaken("transfers");
    const commerceEscrow = await this.#commerceEscrow(routes);
    const price = priceFor(prices, request);
    const { decimals } = token;
    const { amount, rate } = await amountNow({ price, rates: this.#rates, decimals });
    return this.#quotes.sign({
      ...{ path: request.path, amount: String(amount), token: token.address, node, payee },
      ...{ requestHash: request.inputHash, feeBps: supported.escrow?.feeBps ?? 0 },
      ...{ kinds, captureWindow, expiresAt: quoteEnd() },
      ...(commerceEscrow && { commerceEscrow }),
      ...{ rate: rate === undefined ? null : String(rate.usd), rateAt: rate?.at ?? null },
      salt: request.isSalted ? null : request.salt,
    });
  }

  /** The public escrow that the operator is over; undefined where requests are not paid so. @throws as `quoteFor` */
  async #commerceEscrow(routes: readonly Route[]): Promise<string | undefined> {
    const { operator: address } = this.#settings;
    if (!routes.includes("commerce") || address === undefined) return undefined;
    const operator = await this.#facilitator.operator(address);
    const judged = judgeOperator({ settings: this.#settings, address, operator });
    if ("deployment" in judged) return judged.deployment.escrow;
    this.#logger.error({ problem: judged.problem }, "payments by auth-capture are not offered");
    throw notTaken("openings of jobs of this operator");
  }
}

/** Until when a quote that is made now is honoured, in unix seconds. */
export const quoteEnd = (): number => Math.floor(Date.now() / 1_000) + QUOTE_SECONDS;

/** What an answer costs at most, in smallest units, and the rate that makes it. @throws RefusedRequestError 503 without one */
export async function amountNow(parameters: {
  price: Price;
  /** where prices are in dollars */
  rates: Rates | undefined;
  /** of the token */
  decimals: number;
}): Promise<{ amount: bigint; rate: Rate | undefined }> {
  const { decimals, price, rates } = parameters;
  if (price === undefined) throw new Error("the model is free");
  if ("amount" in price) return { amount: price.amount, rate: undefined };
  if (rates === undefined) throw new Error("there is no rate");
  const rate = await rates.now();
  return { amount: unitsFor({ usd: price.usd, rate: rate.usd, decimals }), rate };
}

const notTaken = (what: string): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "payment.notTaken", retryAfter: 60 },
    message: `payments cannot be taken now: the facilitator takes no ${what}`,
  });

import type { Logger } from "pino";
import type { Facilitator } from "./facilitator.ts";
import { type Payable, settingsFor } from "./payable.ts";
import { inEachToken, type PaymentSettings } from "./paymentSettings.ts";
import type { Quote, Quotes } from "./quote.ts";
import { Quoting } from "./quoting.ts";

/** Makes the quotes of requests in every token that they are paid in. */
export class OfferedQuotes {
  /** OPG first */
  readonly #quotings: readonly { settings: PaymentSettings; quoting: Quoting }[];

  constructor(parameters: {
    settings: PaymentSettings;
    facilitator: Facilitator;
    quotes: Quotes;
    logger: Logger;
  }) {
    this.#quotings = inEachToken(parameters.settings).map((settings) => ({
      settings,
      quoting: new Quoting({ ...parameters, settings }),
    }));
  }

  /**
   * A quote for each token that there is a price in now, with the settings as they are for it: what one lacks keeps no other from
   * being offered. @throws RefusedRequestError 503 where there is none, as the first token's is refused
   */
  async of(request: Payable): Promise<{ settings: PaymentSettings; quote: Quote }[]> {
    const priced = this.#quotings.filter(({ quoting }) => quoting.hasPrice(request));
    const quoted = await Promise.allSettled(
      priced.map(async ({ quoting, settings }) => ({
        ...{ settings: settingsFor(settings, request), quote: await quoting.quoteFor(request) },
      })),
    );
    const offered = quoted.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    if (offered.length > 0) return offered;
    throw quoted.flatMap((one) => (one.status === "rejected" ? [one.reason] : []))[0];
  }
}

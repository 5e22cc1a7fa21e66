import { parseUnits } from "ethers";
import type { Logger } from "pino";
import { z } from "zod";
import { RefusedRequestError } from "../gatewayError.ts";
import type { RateSettings, RateSourceSettings } from "./prices.ts";

const ASK_MS = 5_000;
const DECIMALS = 18;
const WHOLE_BPS = 10_000n;

const answerSchema = z.looseObject({
  /** US dollars for one of the token */
  usd: z.string().regex(/^\d{1,20}(\.\d{1,18})?$/),
  /** unix seconds */
  at: z.int().min(0),
});

/** A rate that was believed, and its time in unix seconds; null of one that is fixed. */
export type Rate = { usd: bigint; at: number | null };
/** What a token is worth now. */
export type Rates = { now(): Promise<Rate> };

/** The rates that the settings of a token ask for; undefined without. */
export function ratesOf(settings: RateSettings | undefined, logger: Logger): Rates | undefined {
  if (settings === undefined) return undefined;
  if (!("fixed" in settings)) return new RateSource({ settings, logger });
  const rate: Rate = { usd: settings.fixed, at: null };
  return { now: async () => rate };
}

type Seen = Rate & { at: number };

/**
 * The rate of a token in US dollars, from a source that is asked while prices need it: `{ "usd": "0.05", "at": <unix seconds> }`. A
 * rate outside of the bounds, or too far from the one before, is not believed; the last good one counts until it is stale.
 */
export class RateSource implements Rates {
  readonly #settings: RateSourceSettings;
  readonly #logger: Logger;
  readonly #clock: () => number;
  #rate: Seen | undefined;
  #asking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(parameters: {
    settings: RateSourceSettings;
    logger: Logger;
    /** unix seconds */
    clock?: () => number;
  }) {
    this.#settings = parameters.settings;
    this.#clock = parameters.clock ?? (() => Date.now() / 1_000);
    this.#logger = parameters.logger;
  }

  /** @throws RefusedRequestError 503 where there is none that is not stale */
  async now(): Promise<Rate> {
    const seconds = this.#clock();
    const { staleSeconds } = this.#settings;
    // Asked before it is stale, and not more than a few times in that while.
    if (seconds - this.#askedAt > staleSeconds / 4) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
    }
    await this.#asking;
    const rate = this.#rate;
    if (rate !== undefined && this.#clock() - rate.at <= staleSeconds) return rate;
    throw new RefusedRequestError({
      ...{ status: 503, code: "payment.rateStale", retryAfter: 30 },
      message: "there is no price now: the rate of the token is too old",
    });
  }

  async #ask(): Promise<void> {
    this.#askedAt = this.#clock();
    try {
      const signal = AbortSignal.timeout(ASK_MS);
      const response = await fetch(this.#settings.url, { redirect: "error", signal });
      const { at, usd } = answerSchema.parse(await response.json());
      this.#take({ at, usd: parseUnits(usd, DECIMALS) });
    } catch {
      this.#logger.warn({ code: "payment.noRate" }, "the source of rates does not answer");
    }
  }

  #take(rate: Seen): void {
    const { ceiling, floor, stepBps } = this.#settings;
    const before = this.#rate?.usd ?? rate.usd;
    const change = rate.usd > before ? rate.usd - before : before - rate.usd;
    const isStep = change * WHOLE_BPS <= before * BigInt(stepBps);
    // One from the future would not get stale.
    const isPast = rate.at <= this.#clock() + ASK_MS / 1_000 && rate.at >= (this.#rate?.at ?? 0);
    if (rate.usd >= floor && rate.usd <= ceiling && isStep && isPast) this.#rate = rate;
    else this.#logger.warn({ code: "payment.badRate" }, "a rate is not believed");
  }
}

/**
 * Smallest units of a token that are worth so many dollars at a rate, both with 18 decimals. Rounded up, so that what costs anything
 * costs a unit at least.
 */
export function unitsFor(of: { usd: bigint; rate: bigint; decimals: number }): bigint {
  const { decimals, rate, usd } = of;
  return (usd * 10n ** BigInt(decimals) + rate - 1n) / rate;
}

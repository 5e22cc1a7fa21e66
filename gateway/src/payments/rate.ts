import { parseUnits } from "ethers";
import type { Logger } from "pino";
import { z } from "zod";
import { RefusedRequestError } from "../gatewayError.ts";
import type { RateSettings } from "./prices.ts";

const ASK_MS = 5_000;
const DECIMALS = 18;
const ONE = 10n ** BigInt(DECIMALS);
const WHOLE_BPS = 10_000n;

const answerSchema = z.looseObject({
  /** US dollars for an OPG */
  usd: z.string().regex(/^\d{1,20}(\.\d{1,18})?$/),
  /** unix seconds */
  at: z.int().min(0),
});

/** A rate that was believed, and its time in unix seconds. */
export type Rate = { usd: bigint; at: number };

/**
 * The rate of OPG in US dollars, from a source that is asked while prices need it: `{ "usd": "0.05", "at": <unix seconds> }`. A
 * rate outside of the bounds, or too far from the one before, is not believed; the last good one counts until it is stale.
 */
export class RateSource {
  readonly #settings: RateSettings;
  readonly #logger: Logger;
  readonly #clock: () => number;
  #rate: Rate | undefined;
  #asking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(parameters: {
    settings: RateSettings;
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

  #take(rate: Rate): void {
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

/** Smallest units of OPG that are worth so many dollars; both with 18 decimals. Rounded up. */
export const unitsFor = (usd: bigint, rate: bigint): bigint => (usd * ONE + rate - 1n) / rate;

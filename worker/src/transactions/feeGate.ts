import type { Logger } from "pino";
import type { Market } from "../chain/readMarket.ts";
import type { Metrics } from "../metrics/createMetrics.ts";
import { chooseFees, type Fees, raiseFees, raiseRefused } from "./fees.ts";

/**
 * The ceiling on fees. While the chain asks for more, nothing new is signed and nothing is raised; the log says so
 * once when that begins and once when it ends, the metric `haca_gas_waiting` all the time.
 */
export class FeeGate {
  /** wei per gas */
  readonly ceiling: bigint;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  #isClosed = false;

  constructor(parameters: { ceiling: bigint; metrics: Metrics; logger: Logger }) {
    this.ceiling = parameters.ceiling;
    this.#metrics = parameters.metrics;
    this.#logger = parameters.logger;
  }

  /** Fees of a new transaction; undefined while the chain asks for more than the ceiling. */
  choose(market: Market): Fees | undefined {
    const fees = chooseFees({ market, ceiling: this.ceiling });
    this.#report({ market, isClosed: fees === undefined });
    return fees;
  }

  /** Fees of a replacement; undefined where there is no room below the ceiling. */
  raise(parameters: { previous: Fees; market: Market }): Fees | undefined {
    return raiseFees({ ...parameters, ceiling: this.ceiling });
  }

  /** Fees in place of those that an endpoint refused; undefined where there is nothing to raise, or no room. */
  raiseRefused(parameters: {
    previous: Fees;
    market: Market;
    minimumTip: bigint | undefined;
    isOld: boolean;
  }): Fees | undefined {
    return raiseRefused({ ...parameters, ceiling: this.ceiling });
  }

  #report(parameters: { market: Market; isClosed: boolean }): void {
    const { isClosed, market } = parameters;
    this.#metrics.baseFee.set(Number(market.baseFee));
    this.#metrics.gasWaiting.set(isClosed ? 1 : 0);
    if (isClosed === this.#isClosed) return;
    this.#isClosed = isClosed;
    const figures = {
      baseFeeWei: market.baseFee.toString(),
      tipWei: market.tip.toString(),
      ceilingWei: this.ceiling.toString(),
    };
    if (isClosed) this.#logger.warn(figures, "gas is above HACA_MAX_FEE_PER_GAS: waiting");
    else this.#logger.info(figures, "gas is below HACA_MAX_FEE_PER_GAS again: resuming");
  }
}

import { Transaction } from "ethers";
import type { Logger } from "pino";
import type { Market } from "../chain/readMarket.ts";
import type { SenderMetrics } from "../metrics/senderMetrics.ts";

/** Fees of an EIP-1559 transaction, in wei per gas. */
export type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint };

/**
 * Fees of a new transaction: room for the base fee to double, never above `ceiling`. Undefined while the next block
 * asks for more than the ceiling: then nothing is signed.
 */
export function chooseFees(parameters: { market: Market; ceiling: bigint }): Fees | undefined {
  const { market, ceiling } = parameters;
  const { baseFee, tip } = market;
  if (baseFee + tip > ceiling) return undefined;
  return { maxFeePerGas: smaller(2n * baseFee + tip, ceiling), maxPriorityFeePerGas: tip };
}

/**
 * Fees of a replacement: what the market asks, and at least an eighth (12.5%) above the previous attempt on both,
 * which every client takes (geth asks for 10%, others for 12.5%). Undefined where that would pass the ceiling.
 */
export function raiseFees(parameters: {
  previous: Fees;
  market: Market;
  ceiling: bigint;
}): Fees | undefined {
  const { previous, market, ceiling } = parameters;
  const wanted = chooseFees({ market, ceiling });
  if (wanted === undefined) return undefined;
  const maxPriorityFeePerGas = larger(
    anEighthMore(previous.maxPriorityFeePerGas),
    wanted.maxPriorityFeePerGas,
  );
  const maxFeePerGas = larger(
    larger(anEighthMore(previous.maxFeePerGas), wanted.maxFeePerGas),
    maxPriorityFeePerGas,
  );
  return maxFeePerGas > ceiling ? undefined : { maxFeePerGas, maxPriorityFeePerGas };
}

/**
 * Fees of a transaction that an endpoint refused as too cheap. Nobody has it, so that nothing has to be outbid: what the
 * market asks is offered at once. Where it offers that already, more is offered only when it is old, so that an endpoint
 * which refuses whatever it is sent has the fees raised slowly. Undefined where there is nothing to raise, or no room.
 */
export function raiseRefused(parameters: {
  previous: Fees;
  market: Market;
  /** tip that the endpoint asks for, in wei per gas, where it says so */
  minimumTip: bigint | undefined;
  isOld: boolean;
  ceiling: bigint;
}): Fees | undefined {
  const { previous, minimumTip = 0n, isOld, ceiling } = parameters;
  const { baseFee } = parameters.market;
  const floor = larger(parameters.market.tip, minimumTip);
  const isAsked =
    previous.maxPriorityFeePerGas >= floor && previous.maxFeePerGas >= baseFee + floor;
  if (isAsked && !isOld) return undefined;
  const tip = isAsked
    ? // The last step is the one to the ceiling.
      smaller(larger(2n * previous.maxPriorityFeePerGas, 1n), ceiling - baseFee)
    : larger(floor, previous.maxPriorityFeePerGas);
  if (isAsked && tip <= previous.maxPriorityFeePerGas) return undefined;
  const wanted = chooseFees({ market: { baseFee, tip }, ceiling });
  if (wanted === undefined) return undefined;
  const maxFeePerGas = smaller(larger(wanted.maxFeePerGas, previous.maxFeePerGas), ceiling);
  return { maxFeePerGas, maxPriorityFeePerGas: tip };
}

/** Rounded up, and more even where an eighth is nothing. */
function anEighthMore(value: bigint): bigint {
  return larger((value * 9n + 7n) / 8n, value + 1n);
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Fees that a recorded transaction carries. */
export function feesOf(raw: string): Fees {
  const { maxFeePerGas, maxPriorityFeePerGas } = Transaction.from(raw);
  return { maxFeePerGas: maxFeePerGas ?? 0n, maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n };
}

/**
 * The ceiling on fees. While the chain asks for more, nothing new is signed and nothing is raised; the log says so
 * once when that begins and once when it ends, the metric `haca_gas_waiting` all the time.
 */
export class FeeGate {
  /** wei per gas */
  readonly ceiling: bigint;
  readonly #metrics: SenderMetrics;
  readonly #logger: Logger;
  #isClosed = false;

  constructor(parameters: { ceiling: bigint; metrics: SenderMetrics; logger: Logger }) {
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

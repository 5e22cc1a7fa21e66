/** Fees of an EIP-1559 transaction, in wei per gas. */
export type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint };

/** What the chain asks at the moment, in wei per gas. */
export type Market = { baseFee: bigint; tip: bigint };

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

/** Rounded up, and more even where an eighth is nothing. */
function anEighthMore(value: bigint): bigint {
  return larger((value * 9n + 7n) / 8n, value + 1n);
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

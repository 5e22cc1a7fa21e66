/** Fees of a transaction, in wei per gas. */
export type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint };

/** More than what endpoints ask of a transaction that replaces another, a tenth. */
const RAISE = { numerator: 5n, denominator: 4n };
/** Most that is offered, as a multiple of what the endpoint suggests: a chain that stands still costs nothing extra. */
const MAXIMUM_RAISE = 8n;

/**
 * What a transaction has to offer to take the place of one that offered `offered`.
 * @param parameters.market what the endpoint suggests now; never less is offered
 */
export function raiseFees(parameters: { market: Fees; offered: Fees }): Fees {
  const { market, offered } = parameters;
  return {
    maxFeePerGas: raise(market.maxFeePerGas, offered.maxFeePerGas),
    maxPriorityFeePerGas: raise(market.maxPriorityFeePerGas, offered.maxPriorityFeePerGas),
  };
}

function raise(market: bigint, offered: bigint): bigint {
  const raised = (offered * RAISE.numerator) / RAISE.denominator + 1n;
  const limit = market * MAXIMUM_RAISE;
  const capped = raised < limit ? raised : limit;
  return capped > market ? capped : market;
}

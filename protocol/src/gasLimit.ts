/** What one transaction may use at most (EIP-7825, since Osaka). */
export const TRANSACTION_GAS_LIMIT = 16_777_216n;

const MARGIN = { numerator: 6n, denominator: 5n };
/** A slot that is written for the first time: 20,000 by EIP-2200, and 2,100 to load it by EIP-2929. */
const NEW_SLOT = 22_100n;
/** What a call of this project writes by time: checkpoints of an account's votes, of its delegate's, of all. */
const NEW_SLOTS = 3n;

/**
 * Gas limit of a transaction whose call was estimated. A fifth is for what changes a little until it is mined; the new
 * slots are for time: in the second of the last checkpoint an estimate writes to it, and a block later begins one.
 * What is not used is not paid for.
 */
export function gasLimitFor(gas: bigint): bigint {
  const limit = (gas * MARGIN.numerator) / MARGIN.denominator + NEW_SLOTS * NEW_SLOT;
  return limit < TRANSACTION_GAS_LIMIT ? limit : TRANSACTION_GAS_LIMIT;
}

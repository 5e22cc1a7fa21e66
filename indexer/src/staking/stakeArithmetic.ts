/** What `ValidatorStaking` reckons between two events, rounding included. Amounts are smallest units of OPG. */

/** Of what a share earns. */
const SCALE = 10n ** 27n;
const WHOLE = 10_000n;
const EPOCH = 86_400n;
const UNBONDING_EPOCHS = 21n;

/** First second in which what left under an epoch can be withdrawn. */
export const withdrawableFrom = (epoch: bigint): bigint => (epoch + UNBONDING_EPOCHS) * EPOCH;

export const epochAt = (timestamp: bigint): bigint => timestamp / EPOCH;

/** What a pool's shares have earned when it gets rewards. */
export function rewardPerShareAfter(
  pool: { rewardPerShare: bigint; shares: bigint },
  { amount, commission }: { amount: bigint; commission: bigint },
): bigint {
  const { rewardPerShare, shares } = pool;
  return shares === 0n ? rewardPerShare : rewardPerShare + ((amount - commission) * SCALE) / shares;
}

/** Rewards of a delegation since they were counted last. */
export const earnedSince = (
  delegation: { shares: bigint; paidPerShare: bigint },
  rewardPerShare: bigint,
): bigint => (delegation.shares * (rewardPerShare - delegation.paidPerShare)) / SCALE;

/** What shares of a pool, or of what leaves one, are worth. */
export const worthOf = (shares: bigint, all: { stake: bigint; shares: bigint }): bigint =>
  shares === 0n ? 0n : (shares * all.stake) / all.shares;

/** Epochs whose unbonding stake answers for signatures of one, at a time. */
export function liableEpochs(parameters: { epoch: bigint; timestamp: bigint }): bigint[] {
  const to = epochAt(parameters.timestamp) + 1n;
  const earliest = to - UNBONDING_EPOCHS;
  const from = parameters.epoch < earliest ? earliest : parameters.epoch + 1n;
  const epochs: bigint[] = [];
  for (let epoch = from; epoch <= to; epoch++) epochs.push(epoch);
  return epochs;
}

/** What a slash takes of each sum that answers, in their order. Throws where that is not what the event says. */
export function takenOfEach(parameters: {
  sums: readonly bigint[];
  slashable: bigint;
  taken: bigint;
  /** hundredths of a percent that are burned */
  rate: number;
  bounty: bigint;
}): bigint[] {
  const { bounty, rate, slashable, sums, taken } = parameters;
  const lost = (slashable * BigInt(rate)) / WHOLE;
  const part = lost + (bounty > lost ? lost : bounty);
  const each = sums.map((sum) => (sum * part) / slashable);
  const all = each.reduce((sum, one) => sum + one, 0n);
  if (all === taken) return each;
  throw new RangeError(`a slash took ${taken} of ${slashable}, and ${all} was expected`);
}

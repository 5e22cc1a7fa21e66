import { RATE_SCALE } from "./stream.ts";

const YEAR = 365n * 86_400n;
/** Parts are hundredths of a percent. */
const WHOLE = 10_000n;

/** What a delegation is reckoned from. Amounts are smallest units of OPG. */
export type Terms = {
  amount: bigint;
  /** stake of the validator's pool before */
  pool: bigint;
  /** stake of all pools in the set before */
  active: bigint;
  isInSet: boolean;
  commission: bigint;
  /** what is streamed in a second, times `RATE_SCALE` */
  rate: bigint;
  /** part of the stream that goes by pages */
  pagesPart: bigint;
  slashWithQuorum: bigint;
  slashWithout: bigint;
  bounty: bigint;
};

export type Prospect = {
  /** of the whole stream in a year, if it goes on as it is now */
  streamed: bigint;
  /** a year, by stake, after the commission */
  byStake: bigint;
  /** a year, by pages, if every member signs all of them; what is not signed is not earned */
  byPages: bigint;
  /** for one wrong page with a quorum, and without: burned, and for who slashes */
  lossWithQuorum: bigint;
  lossWithout: bigint;
};

/**
 * What a delegation would earn and lose:
 *
 * - by stake, a year: stream × (1 − pages' part) × amount ÷ (stake of the set + amount) × (1 − commission),
 * - by pages the same with the pages' part, for a validator who signs as many as the others,
 * - for a wrong page: amount × part, and of the bounty what the amount is of the pool.
 */
export function prospectOf(terms: Terms): Prospect {
  const { active, amount, bounty, commission, isInSet, pagesPart, pool, rate } = terms;
  const streamed = (rate * YEAR) / RATE_SCALE;
  const own = (part: bigint): bigint =>
    isInSet
      ? (streamed * part * amount * (WHOLE - commission)) / ((active + amount) * WHOLE * WHOLE)
      : 0n;
  const loss = (part: bigint): bigint =>
    (amount * part) / WHOLE + (bounty * amount) / (pool + amount);
  return {
    streamed,
    byStake: own(WHOLE - pagesPart),
    byPages: own(pagesPart),
    lossWithQuorum: loss(terms.slashWithQuorum),
    lossWithout: loss(terms.slashWithout),
  };
}

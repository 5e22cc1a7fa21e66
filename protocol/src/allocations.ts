import { addMonths } from "./addMonths.ts";

/** The smallest units in one OPG. */
export const OPG_UNIT: bigint = 10n ** 18n;

/** All OPG there ever will be, in the smallest unit. */
export const OPG_SUPPLY: bigint = 1_000_000_000n * OPG_UNIT;

/** The token generation event unless a deployment says otherwise: 2026-04-08T00:00:00Z. */
export const DEFAULT_TGE: number = Date.UTC(2026, 3, 8) / 1000;

export type Allocation = {
  name: string;
  /** in the smallest unit */
  amount: bigint;
  /** part of `amount` that is out at the token generation event */
  tgeAmount: bigint;
  /** calendar months after the event before the rest begins to accrue; reaching them releases nothing */
  cliffMonths: number;
  /** calendar months, counted from the end of the cliff, over which the rest accrues; 0 where there is no rest */
  vestingMonths: number;
};

const allocation = (
  name: string,
  tokens: bigint,
  tgeTokens: bigint,
  cliffMonths: number,
  vestingMonths: number,
): Allocation => ({
  name,
  amount: tokens * OPG_UNIT,
  tgeAmount: tgeTokens * OPG_UNIT,
  cliffMonths,
  vestingMonths,
});

/** In the order of `IGenesisDistribution.Allocation`. The amounts sum to the supply. */
export const ALLOCATIONS: readonly Allocation[] = [
  allocation("Ecosystem", 400_000_000n, 40_000_000n, 0, 60),
  allocation("Foundation", 150_000_000n, 49_500_000n, 0, 48),
  allocation("Contributors", 150_000_000n, 0n, 12, 36),
  allocation("Investors", 100_000_000n, 0n, 12, 36),
  allocation("Staking rewards", 100_000_000n, 0n, 0, 96),
  allocation("Liquidity", 60_000_000n, 60_000_000n, 0, 0),
  allocation("Airdrop", 40_000_000n, 40_000_000n, 0, 0),
];

/** Amount of an allocation in the smallest unit; 0 where there is none of that name. */
export const allocationOf = (name: string): bigint =>
  ALLOCATIONS.find((one) => one.name === name)?.amount ?? 0n;

/** When the rest of an allocation accrues, unix seconds. */
export function vestingPeriod(parameters: { allocation: Allocation; tge: number }): {
  start: number;
  end: number;
} {
  const { allocation, tge } = parameters;
  const { cliffMonths, vestingMonths } = allocation;
  // Both counted from the event, so that a day that a month lacks does not shift the months after it.
  return {
    start: addMonths({ time: tge, months: cliffMonths }),
    end: addMonths({ time: tge, months: cliffMonths + vestingMonths }),
  };
}

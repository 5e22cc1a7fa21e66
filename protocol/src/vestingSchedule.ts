/** Bindings of the contracts' `VestingSchedule`: amounts in the smallest unit, times in unix seconds. */
export type VestingSchedule = {
  total: bigint;
  tgeAmount: bigint;
  tge: number;
  start: number;
  end: number;
};

/** What is vested at `time`, as `VestingSchedule.vestedAt` of the contracts computes it. */
export function vestedAt(parameters: { schedule: VestingSchedule; time: number }): bigint {
  const { schedule, time } = parameters;
  const { total, tgeAmount, tge, start, end } = schedule;
  if (time < tge) return 0n;
  if (time >= end) return total;
  if (time <= start) return tgeAmount;
  return tgeAmount + ((total - tgeAmount) * BigInt(time - start)) / BigInt(end - start);
}

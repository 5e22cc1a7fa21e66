import { ALLOCATIONS, DEFAULT_TGE, OPG_UNIT, vestingPeriod } from "@haca/protocol/allocations";
import { formatTable } from "../../lib/table.ts";

/** Unix seconds as UTC, without a zone. */
export const date = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().slice(0, 19);

/** Whole OPG of an amount in the smallest unit. */
export const tokens = (amount: bigint): string => (amount / OPG_UNIT).toLocaleString("en");

export function printTable(): void {
  const rows = ALLOCATIONS.map((allocation) => {
    const { start, end } = vestingPeriod({ allocation, tge: DEFAULT_TGE });
    const isVesting = end > start;
    return [
      allocation.name,
      tokens(allocation.amount),
      tokens(allocation.tgeAmount),
      isVesting ? date(start) : "at once",
      isVesting ? date(end) : "",
    ];
  });
  const sum = (pick: (allocation: (typeof ALLOCATIONS)[number]) => bigint): string =>
    tokens(ALLOCATIONS.reduce((total, allocation) => total + pick(allocation), 0n));
  rows.push(["Sum", sum(({ amount }) => amount), sum(({ tgeAmount }) => tgeAmount), "", ""]);
  console.log(`token generation event ${date(DEFAULT_TGE)} UTC (${DEFAULT_TGE})\n`);
  console.log(
    formatTable({
      columns: ["allocation", "OPG", "at the event", "accrues from (UTC)", "to (UTC)"],
      rows,
    }),
  );
}

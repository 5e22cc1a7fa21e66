import { readFileSync } from "node:fs";
import { join } from "node:path";
import { addMonths } from "@haca/protocol/addMonths";
import { ALLOCATIONS, DEFAULT_TGE, OPG_UNIT, vestingPeriod } from "@haca/protocol/allocations";
import { vestedAt } from "@haca/protocol/vestingSchedule";
import { expect, it } from "vitest";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";

const MONTHS = 12;
/** Of allocations whose holders vote from the beginning, and of those that vote once they are paid out. */
const [HOLDERS, FOUNDATION, OTHER_TREASURY] = [
  ["Contributors", "Investors", "Liquidity", "Airdrop"],
  ["Foundation"],
  ["Ecosystem", "Staking rewards"],
];

const sum = (names: readonly string[] | undefined, amountOf: (name: string) => bigint): bigint =>
  (names ?? []).reduce((total, name) => total + amountOf(name), 0n);

function allocationOf(name: string) {
  const found = ALLOCATIONS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no allocation ${name}`);
  return found;
}

const vested =
  (time: number) =>
  (name: string): bigint => {
    const allocation = allocationOf(name);
    const { amount: total, tgeAmount } = allocation;
    const period = vestingPeriod({ allocation, tge: DEFAULT_TGE });
    return vestedAt({ schedule: { total, tgeAmount, tge: DEFAULT_TGE, ...period }, time });
  };

const tokens = (amount: bigint): string => (amount / OPG_UNIT).toLocaleString("en-US");

it("states in docs/governance.md what can vote at launch and after each year", () => {
  const text = readFileSync(join(PROJECT_ROOT, "docs", "governance.md"), "utf8");
  const rows = [...text.matchAll(/^\| (launch|after (\d+) years?) \| .+$/gm)];
  expect(rows.map(([, name]) => name)).toHaveLength(7);
  for (const [row, name, years = "0"] of rows) {
    const time = addMonths({ time: DEFAULT_TGE, months: Number(years) * MONTHS });
    const least =
      sum(HOLDERS, (holder) => allocationOf(holder).amount) + sum(FOUNDATION, vested(time));
    const most = least + sum(OTHER_TREASURY, vested(time));
    const cells = [least, (least * 4n) / 100n, (least * 10n) / 100n, most].map(tokens);
    expect(row).toBe(`| ${[name, ...cells].join(" | ")} |`);
  }
});

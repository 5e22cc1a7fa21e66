import { pino } from "pino";
import { expect, it } from "vitest";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import type { Database } from "../src/storage/database.ts";
import { Funds } from "../src/transactions/funds.ts";

it("says once that the account is low, cannot pay, and is funded again", async () => {
  const lines: { level: number; msg: string }[] = [];
  const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
  const metrics = createMetrics({ database: {} as Database });
  const funds = new Funds({ account: "0x01", metrics, logger });
  expect(funds.view).toEqual({ account: "0x01", balanceWei: null, state: "unknown" });
  const cost = { gasLimit: 100n, maxFeePerGas: 10n };
  const unfunded = async () => (await metrics.accountUnfunded.get()).values[0]?.value;

  expect(funds.observe({ balance: 999n, ...cost })).toBe(false);
  expect(await unfunded()).toBe(1);
  expect(funds.observe({ balance: 999n, ...cost })).toBe(false);
  expect(funds.observe({ balance: 1_000n, ...cost })).toBe(true);
  expect(await unfunded()).toBe(0);
  // The gas of a settlement is remembered from the one that was estimated.
  expect(funds.observe({ balance: 20_000n, maxFeePerGas: 10n })).toBe(true);
  expect(funds.view).toEqual({ account: "0x01", balanceWei: "20000", state: "ok" });
  expect(lines.map(({ msg }) => msg)).toEqual([
    "the account cannot pay for a settlement: proofs wait; fund it",
    "the account is low: it pays for less than 20 settlements",
    "the account is funded again",
  ]);
});

import { expect, it } from "vitest";
import { parseValue } from "../src/dataFeeds.ts";

const MOST = (1n << 191n) - 1n;

it.each([
  ["2500.5", 8, 250_050_000_000n],
  ["0", 8, 0n],
  ["-0.1", 0, 0n],
  ["-1.999", 2, -199n],
  ["1.999", 2, 199n],
  ["1e3", 2, 100_000n],
  ["1.25E-2", 4, 125n],
  ["1.25e-2", 3, 12n],
  ["12345678901234567890.123456789012345678", 18, 12345678901234567890123456789012345678n],
  [String(MOST), 0, MOST],
  [String(-MOST - 1n), 0, -MOST - 1n],
])("reads %s with %i decimals", (text, decimals, value) => {
  expect(parseValue(text, decimals)).toBe(value);
});

it.each([
  ...["", " 1", "1 ", "+1", "0x10", "1,5", "1.", ".5", "NaN", "Infinity", "1e100", "1e", "--1"],
  ...[String(MOST + 1n), String(-MOST - 2n), "9".repeat(61)],
])("refuses %s", (text) => {
  expect(parseValue(text, 0)).toBeUndefined();
});

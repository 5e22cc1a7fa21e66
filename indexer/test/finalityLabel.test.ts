import { expect, test } from "vitest";
import { finalityLabel } from "../src/finalityLabel.ts";

const at = (safe: bigint | null, finalized: bigint | null) => ({ safe, finalized, reason: null });

test.each([
  [0n, at(20n, 10n), "finalized"],
  [10n, at(20n, 10n), "finalized"],
  [11n, at(20n, 10n), "safe"],
  [20n, at(20n, 10n), "safe"],
  [21n, at(20n, 10n), "indexed"],
  [5n, at(null, 10n), "finalized"],
  [11n, at(null, 10n), "indexed"],
  [5n, at(20n, null), "safe"],
  [0n, at(null, null), "indexed"],
  // Where every block is final at once, as on a chain in one process.
  [20n, at(20n, 20n), "finalized"],
] as const)("a row of block %s, where %o are final, is %s", (block, finality, label) => {
  expect(finalityLabel({ block, finality })).toBe(label);
});

import { describe, expect, it } from "vitest";
import { gasLimitFor, TRANSACTION_GAS_LIMIT } from "../src/gasLimit.ts";

describe("gasLimitFor", () => {
  it("leaves a fifth, and what three checkpoints more take", () => {
    expect(gasLimitFor(50_000n)).toBe(60_000n + 66_300n);
  });

  it("is never more than a transaction may use", () => {
    expect(gasLimitFor(16_000_000n)).toBe(TRANSACTION_GAS_LIMIT);
  });
});

import { describe, expect, it } from "vitest";
import { chooseFees, raiseFees, raiseRefused } from "../src/transactions/fees.ts";

const GWEI = 10n ** 9n;
const market = (baseFee: bigint, tip = 1n) => ({ baseFee: baseFee * GWEI, tip: tip * GWEI });

describe("chooseFees", () => {
  it("leaves room for the base fee to double", () => {
    expect(chooseFees({ market: market(10n), ceiling: 100n * GWEI })).toEqual({
      maxFeePerGas: 21n * GWEI,
      maxPriorityFeePerGas: GWEI,
    });
  });

  it.each([
    ["to the wei", 99n, 1n],
    ["with less room than wanted", 60n, 1n],
  ])("keeps to the ceiling %s", (_, baseFee, tip) => {
    const fees = chooseFees({ market: market(baseFee, tip), ceiling: 100n * GWEI });
    expect(fees?.maxFeePerGas).toBe(100n * GWEI);
  });

  it("signs nothing where the next block asks for a wei more", () => {
    expect(chooseFees({ market: market(99n), ceiling: 100n * GWEI - 1n })).toBeUndefined();
  });
});

describe("raiseFees", () => {
  const previous = { maxFeePerGas: 1001n, maxPriorityFeePerGas: 9n };
  const raise = (ceiling: bigint, now = { baseFee: 1n, tip: 1n }) =>
    raiseFees({ previous, market: now, ceiling });

  it("asks for at least an eighth more on both, rounded up", () => {
    expect(raise(10_000n)).toEqual({ maxFeePerGas: 1127n, maxPriorityFeePerGas: 11n });
  });

  it("asks for what the market asks where that is more", () => {
    expect(raise(10_000n, { baseFee: 2000n, tip: 50n })).toEqual({
      maxFeePerGas: 4050n,
      maxPriorityFeePerGas: 50n,
    });
  });

  it("takes the ceiling itself, and not a wei more", () => {
    expect(raise(1127n)?.maxFeePerGas).toBe(1127n);
    expect(raise(1126n)).toBeUndefined();
  });

  it("raises a tip of nothing, which no client would take as a replacement", () => {
    const free = { maxFeePerGas: 1n, maxPriorityFeePerGas: 0n };
    expect(raiseFees({ previous: free, market: { baseFee: 0n, tip: 0n }, ceiling: 10n })).toEqual({
      maxFeePerGas: 2n,
      maxPriorityFeePerGas: 1n,
    });
  });

  it("never offers a tip above the maximum", () => {
    const steep = { maxFeePerGas: 100n, maxPriorityFeePerGas: 100n };
    const raised = raiseFees({
      previous: steep,
      market: { baseFee: 0n, tip: 150n },
      ceiling: 500n,
    });
    expect(raised).toEqual({ maxFeePerGas: 150n, maxPriorityFeePerGas: 150n });
  });

  it("waits while the market is above the ceiling", () => {
    expect(raise(5_000n, { baseFee: 5_000n, tip: 1n })).toBeUndefined();
  });
});

describe("raiseRefused", () => {
  const previous = { maxFeePerGas: 21n * GWEI, maxPriorityFeePerGas: 0n };
  const now = { baseFee: 10n * GWEI, tip: 0n };
  const ceiling = 100n * GWEI;

  it("offers the tip that is asked for at once, and not a wei more", () => {
    const raised = raiseRefused({ previous, market: now, minimumTip: GWEI, isOld: false, ceiling });
    expect(raised).toEqual({ maxFeePerGas: 21n * GWEI, maxPriorityFeePerGas: GWEI });
  });

  it("offers what the market has come to ask at once", () => {
    const market = { baseFee: 30n * GWEI, tip: 2n * GWEI };
    const raised = raiseRefused({ previous, market, minimumTip: undefined, isOld: false, ceiling });
    expect(raised).toEqual({ maxFeePerGas: 62n * GWEI, maxPriorityFeePerGas: 2n * GWEI });
  });

  it("offers more than is asked for only when it is old, up to the ceiling and no further", () => {
    const paid = { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 60n * GWEI };
    const raise = (given: typeof paid, isOld: boolean) =>
      raiseRefused({ previous: given, market: now, minimumTip: undefined, isOld, ceiling });
    expect(raise(paid, false)).toBeUndefined();
    expect(raise(paid, true)).toEqual({ ...paid, maxPriorityFeePerGas: 90n * GWEI });
    expect(raise({ ...paid, maxPriorityFeePerGas: 90n * GWEI }, true)).toBeUndefined();
  });

  it("never passes the ceiling, whatever an endpoint asks for", () => {
    const minimumTip = 91n * GWEI;
    expect(
      raiseRefused({ previous, market: now, minimumTip, isOld: true, ceiling }),
    ).toBeUndefined();
  });
});

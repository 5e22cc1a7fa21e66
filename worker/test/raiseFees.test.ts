import { describe, expect, it } from "vitest";
import { raiseFees } from "../src/heartbeat/raiseFees.ts";

const fees = (fee: bigint, tip: bigint) => ({ maxFeePerGas: fee, maxPriorityFeePerGas: tip });

describe("raiseFees", () => {
  it("offers a quarter more than before, of both fees", () => {
    expect(raiseFees({ market: fees(1000n, 100n), offered: fees(1000n, 100n) })).toEqual(
      fees(1251n, 126n),
    );
  });

  it("offers what the market asks where that is more", () => {
    expect(raiseFees({ market: fees(9000n, 800n), offered: fees(1000n, 100n) })).toEqual(
      fees(9000n, 800n),
    );
  });

  it("raises a tip of zero too, which endpoints want of a replacement", () => {
    expect(raiseFees({ market: fees(1000n, 1n), offered: fees(1000n, 0n) })).toEqual(
      fees(1251n, 1n),
    );
  });

  it("stops at eight times the market, however often a chain that stands still is asked", () => {
    let offered = fees(1000n, 100n);
    for (let i = 0; i < 200; i++) offered = raiseFees({ market: fees(1000n, 100n), offered });
    expect(offered).toEqual(fees(8000n, 800n));
  });
});

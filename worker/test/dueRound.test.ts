import { describe, expect, it } from "vitest";
import { dueRound, turnOf } from "../src/roles/dataNode/dueRound.ts";
import type { FeedState } from "../src/roles/dataNode/feedContract.ts";

const NOW = 1_000_000n;
const feed: FeedState = {
  ...{ block: 1, description: "ETH / USD", decimals: 8, sourceHash: "0x", isClosed: false },
  ...{ heartbeat: 100n, minimumObservations: 3, latestRound: 7n, answer: 10_000n },
  updatedAt: NOW - 10n,
  time: NOW - 60n,
};
const due = (
  changes: Partial<FeedState>,
  value = 10_000n,
  observedAt = NOW - 1n,
  deviation = 100,
) => {
  const own = { teeId: "0x", value, observedAt, signature: "0x" };
  return dueRound({ feed: { ...feed, ...changes }, own, now: NOW, deviation });
};

describe("when a round is due", () => {
  it("the first at once, and none of a closed feed", () => {
    expect(due({ answer: undefined, updatedAt: 0n, latestRound: 0n })).toBe("first");
    expect(due({ answer: undefined, updatedAt: 0n, isClosed: true })).toBeUndefined();
  });

  it("after nine tenths of the heartbeat", () => {
    expect(due({ updatedAt: NOW - 89n })).toBeUndefined();
    expect(due({ updatedAt: NOW - 90n })).toBe("heartbeat");
    // By the chain's clock, where that is ahead.
    expect(due({ time: NOW + 79n })).toBeUndefined();
    expect(due({ time: NOW + 80n })).toBe("heartbeat");
  });

  it("when the value is as far from the answer as was set, up or down", () => {
    for (const [value, reason] of [
      [10_099n, undefined],
      [10_100n, "deviation"],
      [9_901n, undefined],
      [9_900n, "deviation"],
    ] as const) {
      expect(due({}, value)).toBe(reason);
      expect(due({ answer: -10_000n }, -value)).toBe(reason);
    }
    // Of nothing, everything is far; nothing is not.
    expect(due({ answer: 0n }, 1n)).toBe("deviation");
    expect(due({ answer: 0n }, 0n)).toBeUndefined();
  });

  it("not before something was seen that is newer than the latest round", () => {
    expect(due({ updatedAt: NOW - 95n }, 20_000n, NOW - 95n)).toBeUndefined();
    expect(due({ updatedAt: NOW - 95n }, 20_000n, NOW - 94n)).toBe("heartbeat");
  });
});

describe("turns", () => {
  const nodes = ["0xaa", "0xcc", "0xbb"];
  const turns = (latestRound: bigint) =>
    ["0xaa", "0xbb", "0xcc"].map((teeId) =>
      turnOf({ teeId, nodes, latestRound, turnSeconds: 15n }),
    );

  it("are another node's each round, and everybody's within as many", () => {
    expect([turns(0n), turns(1n), turns(2n), turns(3n)]).toEqual([
      [0n, 15n, 30n],
      [30n, 0n, 15n],
      [15n, 30n, 0n],
      [0n, 15n, 30n],
    ]);
  });

  it("are a node's that does not count itself, too", () => {
    expect(turnOf({ teeId: "0xdd", nodes, latestRound: 3n, turnSeconds: 15n })).toBe(0n);
    expect(turnOf({ teeId: "0xdd", nodes: [], latestRound: 9n, turnSeconds: 15n })).toBe(0n);
  });
});

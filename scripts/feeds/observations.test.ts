import { describe, expect, it } from "vitest";
import { stateOf } from "./context.ts";
import { judgePosted, mediansOf, type Posted } from "./observations.ts";

const observed = (teeId: string, value: bigint, observedAt = 100n): Posted => ({
  ...{ teeId, value, observedAt },
});

describe("what of a post counted", () => {
  it("takes each event of a skipped one for one observation alone", () => {
    const posted = [observed("a", 1n), observed("b", 2n), observed("b", 2n), observed("c", 9n)];
    const skipped = [
      { ...observed("b", 2n), reason: 6 },
      { ...observed("c", 9n), reason: 8 },
    ];
    const judged = judgePosted(posted, skipped);
    expect(judged.map(({ reason }) => reason)).toEqual([0, 6, 0, 8]);
    expect(judged.map(({ teeId }) => teeId)).toEqual(["a", "b", "b", "c"]);
  });

  it("tells a node's observations apart by value and by time", () => {
    const posted = [observed("a", 1n, 100n), observed("a", 1n, 90n), observed("a", 2n, 100n)];
    const judged = judgePosted(posted, [{ ...observed("a", 1n, 90n), reason: 3 }]);
    expect(judged.map(({ reason }) => reason)).toEqual([0, 3, 0]);
  });

  it.each([
    [[5], 5n],
    [[9, 5], 5n],
    [[9, -5, 7], 7n],
    [[10, 9, 2, 1], 2n],
  ])("has of %j the lower median, ordered as numbers", (values, median) => {
    const counted = values.map((value) => observed("a", BigInt(value)));
    expect(mediansOf(counted, 200n)?.answer).toBe(median);
  });

  it("takes times apart from values, and what is ahead of the block as the block's", () => {
    const counted = [observed("a", 1n, 130n), observed("b", 2n, 90n), observed("c", 3n, 140n)];
    expect(mediansOf(counted, 120n)).toEqual({ answer: 2n, updatedAt: 120n });
    expect(mediansOf(counted, 135n)).toEqual({ answer: 2n, updatedAt: 130n });
    expect(mediansOf([], 120n)).toBeUndefined();
  });
});

describe("how a feed stands", () => {
  it.each([
    [null, "empty"],
    [60n, "fresh"],
    [61n, "late"],
    [120n, "late"],
    [121n, "stale"],
  ] as const)("a round %s seconds old, with a heartbeat of 60, is %s", (age, state) => {
    expect(stateOf({ latest: age === null ? null : { age }, heartbeat: 60n })).toBe(state);
  });
});

import { describe, expect, it } from "vitest";
import { prospectOf } from "./prospect.ts";
import { clockAt, RATE_SCALE, streamAt } from "./stream.ts";

const DAY = 86_400n;
const OPG = 10n ** 18n;
/** An OPG a second for eight days. */
const ADDED = 8n * DAY * OPG;
/** The set gets members at a day's beginning. */
const BEGAN = 20_000n * DAY;
const MEMBERS = [{ at: BEGAN, hasMembers: true }];

describe("the stream's clock", () => {
  it("runs while the set has members, and stands still otherwise", () => {
    const changes = [
      { at: 100n, hasMembers: true },
      { at: 150n, hasMembers: false },
      { at: 400n, hasMembers: true },
    ];
    expect([50n, 100n, 120n, 150n, 399n, 400n, 410n].map((at) => clockAt(changes, at))).toEqual([
      ...[0n, 0n, 20n, 50n, 50n, 50n, 60n],
    ]);
    expect(clockAt([], 10n)).toBe(0n);
  });
});

describe("what is streamed", () => {
  const additions = [{ amount: ADDED, at: BEGAN }];
  const at = (time: bigint) => streamAt({ additions, changes: MEMBERS, at: time });

  it("is an addition, evenly to the end of the eighth day", () => {
    expect(at(BEGAN).rate).toBe(OPG * RATE_SCALE);
    expect(at(BEGAN).seconds).toBe(8n * DAY);
    expect(at(BEGAN).left).toBe(ADDED);
    expect(at(BEGAN + 6n * DAY).left).toBe(2n * DAY * OPG);
    expect(at(BEGAN + 8n * DAY - 1n).rate).toBe(at(BEGAN).rate);
    expect(at(BEGAN + 8n * DAY)).toEqual({ rate: 0n, left: 0n, seconds: 0n });
  });

  it("waits for members, and for those who come back", () => {
    const early = [{ amount: ADDED, at: BEGAN - 5n * DAY }];
    expect(streamAt({ additions: early, changes: MEMBERS, at: BEGAN }).left).toBe(ADDED);
    const gone = [...MEMBERS, { at: BEGAN + DAY, hasMembers: false }];
    const later = streamAt({ additions, changes: gone, at: BEGAN + 100n * DAY });
    expect(later.left).toBe(7n * DAY * OPG);
  });

  it("is the sum of additions, each with an end of its own", () => {
    const second = { amount: (8n * DAY - 1n) * OPG, at: BEGAN + 3n * DAY + 1n };
    const both = (time: bigint) =>
      streamAt({ additions: [...additions, second], changes: MEMBERS, at: time });
    expect(both(BEGAN + 4n * DAY).rate).toBe(2n * OPG * RATE_SCALE);
    expect(both(BEGAN + 8n * DAY)).toEqual({
      ...{ rate: OPG * RATE_SCALE, left: 3n * DAY * OPG, seconds: 3n * DAY },
    });
  });
});

describe("what a delegation would earn and lose", () => {
  const terms = {
    ...{ amount: 10_000n * OPG, pool: 30_000n * OPG, active: 90_000n * OPG, isInSet: true },
    ...{ commission: 1_000n, pagesPart: 2_000n, bounty: 10n * OPG },
    ...{ slashWithQuorum: 500n, slashWithout: 100n },
    // 1,000 OPG a day
    rate: (1_000n * OPG * RATE_SCALE) / DAY,
  };

  it("is its part of the stream by stake after the commission, and the same of the pages' part", () => {
    const { byPages, byStake, streamed } = prospectOf(terms);
    const near = (actual: bigint, expected: bigint) =>
      expect(Number(actual) / Number(expected * OPG)).toBeCloseTo(1, 9);
    near(streamed, 365_000n);
    // A tenth of four fifths, less a tenth.
    near(byStake, 26_280n);
    near(byPages, 6_570n);
  });

  it("is nothing outside the set, and nothing where nothing is streamed", () => {
    for (const none of [{ isInSet: false }, { rate: 0n }]) {
      expect(prospectOf({ ...terms, ...none })).toMatchObject({ byStake: 0n, byPages: 0n });
    }
  });

  it("loses its part of what is burned, and of the bounty", () => {
    expect(prospectOf(terms)).toMatchObject({
      lossWithQuorum: 502n * OPG + OPG / 2n,
      lossWithout: 102n * OPG + OPG / 2n,
    });
  });
});

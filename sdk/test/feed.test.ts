import { describe, expect, it } from "vitest";
import { type FeedOptions, readFeed } from "../src/readFeed.ts";
import { servedChains } from "./support/chains.ts";
import type { Contracts } from "./support/fakeChain.ts";

const start = servedChains();
const FEED = `0x${"FE".repeat(20)}`;
const NOW = Math.floor(Date.now() / 1000);
const HOUR = 3_600;

/** Rounds 1 to 20, one an hour, the latest of now. */
const answerOf = (round: number): bigint => 7_000n + BigInt(round);
const timeOf = (round: number): number => NOW - HOUR * (20 - round);
const roundOf = (round: number, answer = answerOf(round), time = timeOf(round)) =>
  [round, answer, time, time, round] as const;
const HONEST: Contracts = {
  decimals: () => [2],
  latestRoundData: () => roundOf(20),
  getRoundData: (round) => roundOf(Number(round)),
};

const read = async (contracts: Contracts, options: Partial<FeedOptions> = {}) => {
  const rpc = await start({ time: BigInt(NOW), contracts: { ...HONEST, ...contracts } });
  return await readFeed({
    ...{ feed: FEED, chainId: 31_337, rpcs: [rpc], maxAge: 2 * HOUR, ...options },
  });
};

describe("a feed", () => {
  it("is read as of one block, as far back as there are rounds", async () => {
    const latest = await read({});
    expect(latest).toMatchObject({ decimals: 2, source: "trusts 1 RPC", asOf: { number: "100" } });
    expect(latest.rounds).toEqual([{ round: 20n, answer: 7_020n, updatedAt: BigInt(NOW) }]);
    const { rounds } = await read({}, { rounds: 18 });
    expect(rounds.map(({ round }) => Number(round))).toEqual(
      Array.from({ length: 18 }, (_, index) => 20 - index),
    );
    expect(rounds.at(-1)).toEqual({ round: 3n, answer: 7_003n, updatedAt: BigInt(timeOf(3)) });
    expect((await read({}, { rounds: 1_000 })).rounds).toHaveLength(20);
  });

  it("is refused where its answer is old, by the chain's clock or by ours", async () => {
    const latestRoundData = () => roundOf(20, 1n, NOW - 3 * HOUR);
    const stale = { code: "feed.stale", message: expect.stringMatching(/108\d\d seconds old/) };
    await expect(read({ latestRoundData })).rejects.toMatchObject(stale);
    const ahead = await start({ time: BigInt(NOW + 3 * HOUR), contracts: HONEST });
    await expect(read({}, { rpcs: [ahead] })).rejects.toMatchObject(stale);
    const standing = await start({
      ...{ time: BigInt(NOW - 3 * HOUR), contracts: { ...HONEST, latestRoundData } },
    });
    await expect(read({}, { rpcs: [standing] })).rejects.toMatchObject(stale);
  });

  it.each([0n, -1n])("is refused where it answers %d", async (answer) => {
    const latestRoundData = () => roundOf(20, answer);
    await expect(read({ latestRoundData })).rejects.toMatchObject({ code: "feed.notPositive" });
  });

  it.each<[string, Contracts]>([
    ["a time to come", { latestRoundData: () => roundOf(20, 1n, NOW + 1) }],
    ["another round", { getRoundData: () => roundOf(7) }],
    [
      "an earlier round that is later",
      {
        latestRoundData: () => roundOf(20, 1n, NOW - 60),
        getRoundData: (round) => roundOf(Number(round), 1n, NOW - 59),
      },
    ],
    ["no round", { latestRoundData: () => roundOf(0) }],
  ])("that answers %s is none", async (_, contracts) => {
    await expect(read(contracts, { rounds: 2 })).rejects.toMatchObject({ code: "chain.badAnswer" });
  });

  it("is what all endpoints say", async () => {
    const rpcs = await Promise.all(
      [7n, 8n].map((answer) =>
        start({
          ...{
            time: BigInt(NOW),
            contracts: { ...HONEST, latestRoundData: () => roundOf(20, answer) },
          },
        }),
      ),
    );
    await expect(read({}, { rpcs })).rejects.toMatchObject({ code: "chain.disagreement" });
  });

  it.each<[Partial<FeedOptions>, RegExp]>([
    [{ feed: "0x12" }, /^feed: must be an address/],
    [{ chainId: "x" }, /^chainId: /],
    [{ maxAge: 0 }, /^maxAge: /],
    [{ rounds: 1_001 }, /^rounds: must be a whole number, 1 to 1000/],
    [{ rpcs: [] }, /^rpcs: /],
    [{ maximumAge: 1 } as object, /^maximumAge: there is no such option/],
  ])("%j is refused by name", async (options, words) => {
    await expect(read({}, options)).rejects.toThrow(words);
  });
});

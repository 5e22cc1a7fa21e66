import { now } from "../utils/attestationFixture.ts";
import { deployFeeds, FEED, FEED_ID, observe, PRICE } from "../utils/feedFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 3;
const MOST = 15;

/** Rounds of a feed by P-256 keys of enclaves, and by RSA keys; a read by a consumer's transaction. */
export const measureFeeds: Measure = async (connection) => {
  const samples: Record<string, bigint[]> = {};
  const add = (key: string, gas: bigint) => {
    samples[key] = [...(samples[key] ?? []), gas];
  };
  for (const [kind, sizes] of [
    ["p256", { "feed.post": 3, "feed.post7": 7, "feed.post15": MOST }],
    ["rsa", { "feed.post.rsa": 3 }],
  ] as const) {
    const nodes = Math.max(...Object.values(sizes));
    const f = await deployFeeds(connection, { nodes, kinds: [kind] });
    const post = async (count: number) => {
      await f.networkHelpers.time.increase(60);
      const observedAt = await now(f);
      const observations = await Promise.all(
        f.nodes
          .slice(0, count)
          .map((node, i) => observe(f, node, { observedAt, value: PRICE + BigInt(i * 7) })),
      );
      return gasOf(f.feeds.post(FEED_ID, observations));
    };
    // The first round of a feed writes slots that are empty.
    await post(3);
    for (let i = 0; i < SAMPLES; i++) {
      for (const [key, count] of Object.entries(sizes)) add(key, await post(count));
    }
    if (kind !== "p256") continue;
    const reader = await f.ethers.getContractAt(
      "FeedReader",
      await f.feeds.readerOf(FEED_ID, FEED.decimals),
    );
    const to = await reader.getAddress();
    const data = reader.interface.encodeFunctionData("latestRoundData");
    add("feed.read", await gasOf(f.attacker.sendTransaction({ to, data })));
  }
  return {
    samples,
    notes: {
      "feed.post": "a round of three observations, by P-256 keys of enclaves",
      "feed.post7": "the same with seven",
      "feed.post15": "the same with fifteen",
      "feed.post.rsa": "a round of three observations, by RSA keys of 2048 bits",
      "feed.read": "latestRoundData of a feed's reader, as a transaction of its own",
    },
  };
};

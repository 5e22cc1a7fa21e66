import { BaseError } from "@haca/protocol/baseError";
import { wordOf } from "./bytes.ts";
import { ask, encode } from "./chain/contractReads.ts";
import { chainError, isEndpoint } from "./chain/jsonRpc.ts";
import { type Chain, openChain } from "./chain/openChain.ts";
import { optionError, requireKnown } from "./client/optionError.ts";
import type { AsOf } from "./line.ts";

/** Which feed is read, and how old its answer may be. */
export type FeedOptions = {
  /** address of the feed's reader, or of any `AggregatorV3Interface` */
  feed: string;
  chainId: bigint | number | string;
  /** all have to agree */
  rpcs: readonly string[];
  /** seconds; two heartbeats of the feed are a good bound */
  maxAge: number;
  /** how many of the latest rounds are read, at most 1,000; one if left out. There may be fewer */
  rounds?: number;
};

/** What the source said at a time: `answer * 10^-decimals`. */
export type FeedRound = { round: bigint; answer: bigint; updatedAt: bigint };

export type Feed = {
  decimals: number;
  /** the latest first, one by one; there is one at least */
  rounds: readonly [FeedRound, ...FeedRound[]];
  asOf: AsOf;
  /** whose word it is */
  source: string;
};

const MAXIMUM_ROUNDS = 1_000;
/** Rounds that are asked for side by side. */
const BATCH = 16;
/** `AggregatorV3Interface` answers a round with five words. */
const ROUND_WORDS = 5;
const OPTIONS = ["feed", "chainId", "rpcs", "maxAge", "rounds"];

/**
 * A feed's latest rounds, as of one block, where its latest answer is above zero and not too old: by the block's time, or this
 * machine's clock where that is ahead, so that a chain that stands still does not keep a price fresh.
 * @throws BaseError `option.wrong`, `chain.*`; `feed.stale` with `details.age`, `feed.notPositive`
 */
export async function readFeed(options: FeedOptions): Promise<Feed> {
  const { feed, maxAge, rounds: wanted, rpcs } = readOptions(options);
  const chain = await openChain({ rpcs, chainId: String(options.chainId) });
  const [decimals = 0n] = await ask(chain, { to: feed, data: encode("decimals()"), words: 1 });
  if (decimals > 255n) throw chainError("badAnswer", "a feed has no such decimals");
  const latest = await roundBy(chain, feed, encode("latestRoundData()"));
  const now = BigInt(Math.floor(Date.now() / 1000));
  const age = (chain.block.time > now ? chain.block.time : now) - latest.updatedAt;
  if (age > BigInt(maxAge)) {
    throw new BaseError({
      ...{ code: "feed.stale", details: { age: Number(age), maxAge } },
      message: `the feed's latest answer is ${age} seconds old, more than ${maxAge}`,
    });
  }
  if (latest.answer <= 0n) {
    const message = `the feed answers ${latest.answer}, which is not above zero`;
    throw new BaseError({ code: "feed.notPositive", message });
  }
  const rounds: [FeedRound, ...FeedRound[]] = [latest];
  while (rounds.length < wanted) {
    const last = rounds.at(-1) ?? latest;
    const count = Math.min(BATCH, wanted - rounds.length, Number(last.round - 1n));
    if (count <= 0) break;
    const ids = Array.from({ length: count }, (_, index) => last.round - 1n - BigInt(index));
    const found = await Promise.all(ids.map((id) => roundAt(chain, feed, id)));
    for (const round of found) {
      if (round.updatedAt > (rounds.at(-1) ?? latest).updatedAt) throw wrongRound();
      rounds.push(round);
    }
  }
  return { decimals: Number(decimals), rounds, asOf: chain.asOf, source: chain.source };
}

async function roundAt(chain: Chain, feed: string, id: bigint): Promise<FeedRound> {
  const round = await roundBy(chain, feed, encode("getRoundData(uint80)", wordOf(id)));
  if (round.round !== id) throw wrongRound();
  return round;
}

async function roundBy(chain: Chain, feed: string, data: string): Promise<FeedRound> {
  const [round = 0n, answer = 0n, , updatedAt = 0n] = await ask(chain, {
    ...{ to: feed, data, words: ROUND_WORDS },
  });
  if (round === 0n || updatedAt > chain.block.time) throw wrongRound();
  return { round, answer: BigInt.asIntN(256, answer), updatedAt };
}

const wrongRound = (): BaseError =>
  chainError("badAnswer", "a feed answers with another round than it should");

function readOptions(options: FeedOptions): Required<FeedOptions> {
  requireKnown(options, OPTIONS);
  const { chainId, feed, maxAge, rounds = 1, rpcs } = options;
  if (!/^[1-9]\d{0,19}$/.test(String(chainId))) {
    throw optionError("chainId", "must be a whole number");
  }
  if (!/^0x[0-9a-fA-F]{40}$/.test(feed)) {
    throw optionError("feed", "must be an address of 20 bytes");
  }
  if (!Number.isSafeInteger(maxAge) || maxAge < 1) {
    throw optionError("maxAge", "must be a whole number of seconds above 0");
  }
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAXIMUM_ROUNDS) {
    throw optionError("rounds", `must be a whole number, 1 to ${MAXIMUM_ROUNDS}`);
  }
  if (rpcs.length === 0 || !rpcs.every(isEndpoint)) {
    throw optionError(
      "rpcs",
      "must be addresses that begin with http:// or https://, one at least",
    );
  }
  return { chainId, feed, maxAge, rounds, rpcs };
}

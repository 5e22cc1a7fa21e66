import { BaseError } from "@haca/protocol/baseError";
import { OBSERVATION_HEARTBEATS } from "@haca/protocol/dataFeeds";
import { formatUnits, getAddress, isAddress, isHexString } from "ethers";
import { type ChainSession, nextBlockTime, withChainSession } from "../lib/chainSession.ts";
import type { ContractOf } from "../lib/contracts.ts";
import { duration, isoTime, printable } from "../lib/words.ts";

export type ReadOptions = { network: string; json?: true };

export type FeedsContext = {
  session: ChainSession;
  feeds: ContractOf<"DataFeeds">;
  /** unix seconds at which the next block can be */
  now: bigint;
};

/** Late: behind its heartbeat. Stale: older than its observations would count for. */
export type FeedState = "fresh" | "late" | "stale" | "empty" | "closed";

export type Latest = { roundId: bigint; answer: bigint; updatedAt: bigint; age: bigint };

/** A feed as it stands at the context's time. */
export type FeedNow = {
  feedId: string;
  reader: string;
  description: string;
  decimals: number;
  sourceHash: string;
  heartbeat: bigint;
  maximumDeviation: bigint;
  minimumObservations: bigint;
  state: FeedState;
  /** null before the first round */
  latest: Latest | null;
};

export const badArgument = (message: string): BaseError =>
  new BaseError({ code: "feeds.badArgument", message });

/** Runs `work` with the contract of feeds of a chain. Errors: those of a chain's session. */
export function withFeeds<Result>(
  network: string,
  work: (context: FeedsContext) => Promise<Result>,
): Promise<Result> {
  return withChainSession(network, async (session) => {
    const feeds = await session.contract("DataFeeds");
    return work({ session, feeds, now: await nextBlockTime(session.provider) });
  });
}

/** Every feed, the oldest first. */
export async function readFeeds(context: FeedsContext): Promise<FeedNow[]> {
  const found: FeedNow[] = [];
  const count = await context.feeds.feedCount();
  for (let index = 0n; index < count; index++) {
    found.push(await readFeed(context, await context.feeds.feedAt(index)));
  }
  return found;
}

async function readFeed({ feeds, now }: FeedsContext, feedId: string): Promise<FeedNow> {
  const { decimals, description, isClosed, latestRound, parameters, sourceHash } =
    await feeds.feedOf(feedId);
  let latest: Latest | null = null;
  if (latestRound > 0n) {
    const { answer, updatedAt } = await feeds.roundOf(feedId, latestRound);
    const age = now > updatedAt ? now - updatedAt : 0n;
    latest = { roundId: latestRound, answer, updatedAt, age };
  }
  const { heartbeat, maximumDeviation, minimumObservations } = parameters;
  return {
    ...{ feedId, reader: await feeds.readerOf(feedId, decimals) },
    ...{ description, decimals: Number(decimals), sourceHash },
    ...{ heartbeat, maximumDeviation, minimumObservations },
    ...{ state: isClosed ? "closed" : stateOf({ latest, heartbeat }), latest },
  };
}

/** How the latest round of a feed that is open stands. */
export function stateOf(parameters: {
  latest: Pick<Latest, "age"> | null;
  heartbeat: bigint;
}): FeedState {
  const { heartbeat, latest } = parameters;
  if (latest === null) return "empty";
  if (latest.age > OBSERVATION_HEARTBEATS * heartbeat) return "stale";
  return latest.age > heartbeat ? "late" : "fresh";
}

/** The feed that a text names. Errors: `feeds.badArgument`, `feeds.unknown`. */
export async function findFeed(context: FeedsContext, text: string): Promise<FeedNow> {
  const isId = isHexString(text, 32);
  const isReader = /^0x/.test(text) && isAddress(text);
  if (/^0x/.test(text) && !isId && !isReader) {
    throw badArgument(`feed ${text} is neither an id, 0x and 64 hex digits, nor an address`);
  }
  const wanted = isReader ? getAddress(text) : text;
  const found = (await readFeeds(context)).filter((feed) =>
    isId
      ? feed.feedId === text.toLowerCase()
      : (isReader ? feed.reader : feed.description) === wanted,
  );
  const [feed] = found;
  const kind = isId ? "id" : isReader ? "reader" : "description";
  if (feed === undefined) {
    throw new BaseError({
      code: "feeds.unknown",
      message: `there is no feed with ${kind} ${printable(text)}: npm run feeds -- list`,
    });
  }
  if (found.length === 1) return feed;
  const ids = found.map(({ feedId }) => feedId).join(", ");
  throw badArgument(
    `${found.length} feeds are called ${printable(text)}, name one by its id: ${ids}`,
  );
}

/** `2500.0, observed 2026-11-28T12:00:00Z, 5 minutes ago` */
export const roundWords = (round: Omit<Latest, "roundId">, decimals: number): string =>
  `${formatUnits(round.answer, decimals)}, observed ${isoTime(round.updatedAt)}, ${duration(round.age)} ago`;

/** How a feed stands, in one line. */
export function stateWords({ decimals, heartbeat, latest, state }: FeedNow): string {
  if (latest === null) return state === "closed" ? "closed, without any round" : "no round yet";
  const words = `round ${latest.roundId}: ${roundWords(latest, decimals)}`;
  const bound = duration(OBSERVATION_HEARTBEATS * heartbeat);
  if (state === "closed") return `${words}; closed for good`;
  if (state === "stale") return `${words}: stale, older than two heartbeats, ${bound}`;
  return `${words}: ${state === "late" ? `late, a round is due every ${duration(heartbeat)}` : "fresh"}`;
}

/** Prints one JSON object; integers of a chain are decimal strings. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(
    value,
    (_, item: unknown) => (typeof item === "bigint" ? String(item) : item),
    2,
  );
  console.log(text);
}

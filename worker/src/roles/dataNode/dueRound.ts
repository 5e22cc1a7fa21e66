import type { SignedObservation } from "@haca/protocol/dataFeeds";
import type { FeedState } from "./feedContract.ts";

/** Part of a heartbeat after which a round is due: what comes between it and the chain has the rest. */
const DUE_SHARE = { part: 9n, of: 10n };
/** Deviations are hundredths of a percent. */
const WHOLE = 10_000n;

export type DueRound = "first" | "heartbeat" | "deviation";

/** Why a feed is to have another round now; undefined if it is not. */
export function dueRound(parameters: {
  feed: FeedState;
  /** what this node saw last */
  own: SignedObservation;
  /** unix seconds by this machine's clock; the block's time counts where that is later */
  now: bigint;
  /** hundredths of a percent of the latest answer */
  deviation: number;
}): DueRound | undefined {
  const { deviation, feed, own } = parameters;
  const { answer, heartbeat, isClosed, time, updatedAt } = feed;
  let { now } = parameters;
  if (time > now) now = time;
  if (isClosed || own.observedAt <= updatedAt) return undefined;
  if (answer === undefined) return "first";
  if ((now - updatedAt) * DUE_SHARE.of >= heartbeat * DUE_SHARE.part) return "heartbeat";
  const difference = magnitude(own.value - answer) * WHOLE;
  return difference >= magnitude(answer) * BigInt(deviation) && difference > 0n
    ? "deviation"
    : undefined;
}

/**
 * Seconds that a node waits when a round is due. Nodes take turns, so that not all of them pay for the same round: each round
 * is another one's, and whoever is next takes over where that one does nothing. Nodes that see others wait otherwise; then two
 * post, and the contract takes one.
 */
export function turnOf(parameters: {
  teeId: string;
  /** nodes whose observations count, in any order */
  nodes: readonly string[];
  /** the latest there is */
  latestRound: bigint;
  /** seconds that a node has before the next */
  turnSeconds: bigint;
}): bigint {
  const { latestRound, nodes, teeId, turnSeconds } = parameters;
  const sorted = [...new Set([...nodes, teeId])].sort();
  const count = BigInt(sorted.length);
  const place = BigInt(sorted.indexOf(teeId));
  return ((((place - latestRound) % count) + count) % count) * turnSeconds;
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

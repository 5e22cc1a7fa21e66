import type { SignedObservation } from "@haca/protocol/dataFeeds";
import { feedsInterface } from "../../chain/chain.ts";
import { describeError, RetryableError } from "../../errors.ts";
import { WouldRevertError } from "../../transactions/sendTransaction.ts";
import type { DataNodeContext } from "./dataNodeContext.ts";
import { dueRound, turnOf } from "./dueRound.ts";
import { lastMinedBlock, leaseFeed, releaseFeed } from "./feedLeases.ts";
import { gatherObservations } from "./gatherObservations.ts";

/** Longer than reading, judging and sending can take. */
const LEASE_SECONDS = 120;
const PURPOSE = /^feed (0x[0-9a-f]{64})$/;
const purposeOf = (feedId: string): string => `feed ${feedId}`;

/** A feed whose round is due: behind which one, since when (unix seconds), and how many observations counted last. */
type Waiting = { round: bigint; since: bigint; good: number | undefined };

/**
 * Looks after the account's transactions and gives each feed its next round when that is due and this node's turn. What is
 * sent is what the contract says counts. A feed that fails keeps no other waiting.
 */
export function createPostPass(context: DataNodeContext): () => Promise<boolean> {
  const { feeds, logger, metrics, sender } = context;
  const waiting = new Map<string, Waiting>();
  return async () => {
    for (const { purpose, receipt } of await sender.tend()) {
      const [, feed] = PURPOSE.exec(purpose) ?? [];
      if (feed === undefined) continue;
      const outcome = receipt.status === 1 ? "mined" : "reverted";
      metrics.posts.inc({ feed, outcome });
      const figures = { feed, transaction: receipt.hash, gas: Number(receipt.gasUsed) };
      if (outcome === "mined") logger.info(figures, "round posted");
      else logger.warn(figures, "post reverted: somebody else was quicker, or a node left");
    }
    const open = await sender.listOpen();
    for (const { feedId } of feeds) {
      if (open.has(purposeOf(feedId))) continue;
      try {
        await advance({ context, feedId, waiting });
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        logger.warn({ feed: feedId, error: describeError(error) }, "not posted: later");
      }
    }
    return false;
  };
}

async function advance(parameters: {
  context: DataNodeContext;
  feedId: string;
  waiting: Map<string, Waiting>;
}): Promise<void> {
  const { context, feedId, waiting } = parameters;
  const { contract, deviation, latest, logger, metrics, now, peers } = context;
  const own = latest.get(feedId);
  const feed = await contract.read(feedId);
  if (feed === undefined) return;
  metrics.updated.set({ feed: feedId }, Number(feed.updatedAt));
  if (own === undefined) return;
  const reason = dueRound({ feed, own, now: now(), deviation });
  if (reason === undefined) {
    waiting.delete(feedId);
    return;
  }
  const known = waiting.get(feedId);
  const isKnown = known?.round === feed.latestRound;
  const since = isKnown ? known.since : now();
  const gathered = await gatherObservations({ feedId, own, peers, logger });
  const good = await goodOf({ context, feedId, observations: gathered });
  metrics.counting.set({ feed: feedId }, good.length);
  waiting.set(feedId, { round: feed.latestRound, since, good: good.length });
  if (good.length < feed.minimumObservations) {
    const { minimumObservations: needed } = feed;
    const figures = { feed: feedId, reason, good: good.length, needed };
    // Once, and not with every look.
    if (!isKnown || known.good !== good.length) logger.warn(figures, "too few observations");
    return;
  }
  const nodes = good.map(({ teeId }) => teeId);
  const { teeId, turnSeconds } = context;
  const turn = turnOf({ teeId, nodes, latestRound: feed.latestRound, turnSeconds });
  if (now() - since < turn) return;
  await post({ context, feedId, gathered });
}

/** Posts as the only one of the machines that share the database, by what the chain says now. */
async function post(parameters: {
  context: DataNodeContext;
  feedId: string;
  gathered: readonly SignedObservation[];
}): Promise<void> {
  const { context, feedId, gathered } = parameters;
  const { contract, database, deviation, logger, metrics, now, owner, sender } = context;
  if (!(await leaseFeed({ database, owner, feedId, seconds: LEASE_SECONDS }))) return;
  try {
    const purpose = purposeOf(feedId);
    if ((await sender.listOpen()).has(purpose)) return;
    const feed = await contract.read(feedId);
    const [own] = gathered;
    // An endpoint behind the last post of this queue would have the same round posted again.
    if (!feed || !own || feed.block < (await lastMinedBlock({ database, purpose }))) return;
    const reason = dueRound({ feed, own, now: now(), deviation });
    if (reason === undefined) return;
    const good = await goodOf({ context, feedId, observations: gathered });
    if (good.length < feed.minimumObservations) return;
    const data = feedsInterface.encodeFunctionData("post", [feedId, good]);
    const sent = await sender.send({ purpose, to: contract.address, data });
    if (sent === undefined) return;
    metrics.posts.inc({ feed: feedId, outcome: "sent" });
    logger.info(
      { feed: feedId, reason, observations: good.length, transaction: sent.hash },
      "posting a round",
    );
  } catch (error) {
    if (!(error instanceof WouldRevertError)) throw error;
    metrics.posts.inc({ feed: feedId, outcome: "refused" });
    logger.warn({ feed: feedId, error: error.message }, "the contract refuses the round");
  } finally {
    await releaseFeed({ database, owner, feedId });
  }
}

/** Those that count now, by the contract's word. */
async function goodOf(parameters: {
  context: DataNodeContext;
  feedId: string;
  observations: readonly SignedObservation[];
}): Promise<SignedObservation[]> {
  const { context, feedId, observations } = parameters;
  const { contract, logger, teeId } = context;
  const reasons = await contract.judge(feedId, observations);
  for (const [index, reason] of reasons.entries()) {
    if (reason === "None") continue;
    const node = observations[index]?.teeId;
    const level = node === teeId ? "warn" : "debug";
    logger[level]({ feed: feedId, node, reason }, "an observation does not count");
  }
  return observations.filter((_, index) => reasons[index] === "None");
}

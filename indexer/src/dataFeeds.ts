import { feed, feedRound, skippedObservation } from "ponder:schema";
import { SKIP_REASONS } from "@haca/protocol/dataFeeds";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("DataFeeds")) {
  indexFeeds();
  indexRounds();
}

function indexFeeds(): void {
  on("DataFeeds:FeedCreated", async ({ event, context }) => {
    const { feedId: id, parameters, ...rest } = event.args;
    await context.db.insert(feed).values({
      ...{ id, ...rest, ...parameters, heartbeat: BigInt(parameters.heartbeat) },
      ...{ latestRoundId: null, latestAnswer: null, latestUpdatedAt: null, closedAt: null },
      createdAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });

  on("DataFeeds:FeedParametersChanged", async ({ event, context }) => {
    const { feedId: id, parameters } = event.args;
    await context.db
      .update(feed, { id })
      .set({ ...parameters, heartbeat: BigInt(parameters.heartbeat) });
  });

  on("DataFeeds:FeedClosed", async ({ event, context }) => {
    const { feedId: id } = event.args;
    await context.db.update(feed, { id }).set({ closedAt: event.block.timestamp });
  });
}

function indexRounds(): void {
  on("DataFeeds:RoundPosted", async ({ event, context }) => {
    const { feedId, roundId, answer, updatedAt, observations, poster } = event.args;
    await context.db.insert(feedRound).values({
      ...{ feedId, roundId, answer, updatedAt, poster, observations: Number(observations) },
      ...{ timestamp: event.block.timestamp, blockNumber: event.block.number },
      transactionHash: event.transaction.hash,
    });
    await context.db
      .update(feed, { id: feedId })
      .set({ latestRoundId: roundId, latestAnswer: answer, latestUpdatedAt: updatedAt });
  });

  on("DataFeeds:ObservationSkipped", async ({ event, context }) => {
    const { reason: number, ...observation } = event.args;
    const reason = SKIP_REASONS[number];
    if (reason === undefined) throw new RangeError(`no reason has the number ${number}`);
    await context.db.insert(skippedObservation).values({
      ...{ blockNumber: event.block.number, logIndex: event.log.logIndex },
      ...{ ...observation, reason, transactionHash: event.transaction.hash },
    });
  });
}

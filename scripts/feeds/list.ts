import { duration, printable } from "../lib/words.ts";
import {
  type FeedNow,
  findFeed,
  printJson,
  type ReadOptions,
  readFeeds,
  stateWords,
  withFeeds,
} from "./context.ts";

/** Every feed, in a few lines each. */
export function list({ json, network }: ReadOptions): Promise<void> {
  return withFeeds(network, async (context) => {
    const feeds = await readFeeds(context);
    if (json) {
      printJson({ chainId: context.session.chainId, now: context.now, feeds });
      return;
    }
    console.log(`${feeds.length} ${feeds.length === 1 ? "feed" : "feeds"}`);
    for (const feed of feeds) console.log(`\n${nameLines(feed).join("\n")}`);
  });
}

/** A feed with its parameters. */
export function show(options: ReadOptions & { feed: string }): Promise<void> {
  return withFeeds(options.network, async (context) => {
    const feed = await findFeed(context, options.feed);
    if (options.json) {
      printJson({ chainId: context.session.chainId, now: context.now, feed });
      return;
    }
    const { heartbeat, maximumDeviation, minimumObservations } = feed;
    console.log(
      [
        ...nameLines(feed),
        `  source     ${feed.sourceHash}`,
        `  decimals   ${feed.decimals}`,
        `  heartbeat  ${duration(heartbeat)}; consumers should refuse what is older than ${duration(2n * heartbeat)}`,
        `  deviation  ${Number(maximumDeviation) / 100} % from the median at most`,
        `  minimum    ${minimumObservations} observations, one an operator`,
      ].join("\n"),
    );
  });
}

const nameLines = (feed: FeedNow): string[] => [
  printable(feed.description),
  `  feed       ${feed.feedId}`,
  `  reader     ${feed.reader}`,
  `  latest     ${stateWords(feed)}`,
];

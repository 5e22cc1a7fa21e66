import { formatUnits } from "ethers";
import { formatTable } from "../lib/table.ts";
import { duration, isoTime, printable } from "../lib/words.ts";
import { badArgument, findFeed, printJson, type ReadOptions, withFeeds } from "./context.ts";

const MOST = 1_000n;

/** The last rounds of a feed, and how long after the round before each was observed. */
export function rounds(options: ReadOptions & { feed: string; last: string }): Promise<void> {
  const last = /^[0-9]{1,4}$/.test(options.last) ? BigInt(options.last) : 0n;
  if (last < 1n || last > MOST) {
    throw badArgument(`--last must be an integer from 1 to ${MOST}, got ${options.last}`);
  }
  return withFeeds(options.network, async (context) => {
    const { feeds } = context;
    const feed = await findFeed(context, options.feed);
    const newest = feed.latest?.roundId ?? 0n;
    const found: { roundId: bigint; answer: bigint; updatedAt: bigint; after: bigint | null }[] =
      [];
    // One more than is shown, for the time between two.
    for (let roundId = newest; roundId > 0n && newest - roundId <= last; roundId--) {
      const { answer, updatedAt } = await feeds.roundOf(feed.feedId, roundId);
      const newer = found.at(-1);
      if (newer !== undefined) newer.after = newer.updatedAt - updatedAt;
      found.push({ roundId, answer, updatedAt, after: null });
    }
    const shown = found.slice(0, Number(last));
    if (options.json) {
      const { decimals, feedId } = feed;
      printJson({ chainId: context.session.chainId, feedId, decimals, rounds: shown });
      return;
    }
    console.log(
      `${printable(feed.description)} ${feed.feedId}\n${newest} ${newest === 1n ? "round" : "rounds"}`,
    );
    if (shown.length === 0) return;
    const rows = shown.map(({ after, answer, roundId, updatedAt }) => [
      ...[String(roundId), formatUnits(answer, feed.decimals), isoTime(updatedAt)],
      after === null ? "" : duration(after),
    ]);
    console.log(
      `\n${formatTable({ columns: ["round", "answer", "observed", "after the one before"], rows })}`,
    );
  });
}

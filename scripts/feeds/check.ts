import { BaseError } from "@haca/protocol/baseError";
import { SKIP_REASONS } from "@haca/protocol/dataFeeds";
import { formatUnits } from "ethers";
import { formatTable } from "../lib/table.ts";
import { isoTime, printable } from "../lib/words.ts";
import {
  type FeedNow,
  type FeedsContext,
  findFeed,
  printJson,
  type ReadOptions,
  readFeeds,
  stateWords,
  withFeeds,
} from "./context.ts";
import { mediansOf } from "./observations.ts";
import { activeNodes, type Observed, type Post, readPost } from "./readPost.ts";

/** A feed with what was found about its latest round. `problems` is empty for one that is well. */
type Checked = FeedNow & {
  problems: string[];
  poster: string | null;
  transaction: string | null;
  /** null: what was posted cannot be read, so that the chain tells medians alone */
  observations: Observed[] | null;
  /** why it cannot */
  untold: string | null;
  /** active data nodes whose observations were not posted; of all feeds, because the chain does not say which a node observes */
  silent: string[];
};

/**
 * Says of a feed, or of all that are open, whether its latest round is stale, whether it is the median of what was posted, and who
 * observed. Error: `feeds.unwell` where something is wrong.
 */
export function check(options: ReadOptions & { feed: string | undefined }): Promise<void> {
  return withFeeds(options.network, async (context) => {
    const chosen =
      options.feed === undefined
        ? (await readFeeds(context)).filter(({ state }) => state !== "closed")
        : [await findFeed(context, options.feed)];
    const active = chosen.length === 0 ? [] : await activeNodes(context);
    const checked: Checked[] = [];
    for (const feed of chosen) checked.push(await checkFeed(context, feed, active));
    if (options.json) {
      printJson({ chainId: context.session.chainId, now: context.now, feeds: checked });
    } else if (checked.length === 0) console.log("no feed is open");
    else console.log(checked.map(describe).join("\n\n"));
    const unwell = checked.filter(({ problems }) => problems.length > 0);
    if (unwell.length === 0) return;
    const words = unwell.map(
      ({ description, problems }) => `${printable(description)}: ${problems.join(", ")}`,
    );
    throw new BaseError({
      code: "feeds.unwell",
      message: `${unwell.length} of ${checked.length} checked: ${words.join("; ")}`,
    });
  });
}

async function checkFeed(
  context: FeedsContext,
  feed: FeedNow,
  active: readonly string[],
): Promise<Checked> {
  const { state } = feed;
  const problems: string[] = [];
  if (state === "stale") problems.push("stale");
  if (state === "closed") problems.push("closed");
  if (state === "empty") problems.push("no round yet");
  const post = await readPost(context, feed);
  if (post !== undefined) problems.push(...differences(feed, post));
  const observations = post?.observations ?? null;
  const heard = new Set(observations?.map(({ teeId }) => teeId));
  return {
    ...feed,
    ...{ problems, poster: post?.poster ?? null, transaction: post?.transaction ?? null },
    ...{ observations, untold: post?.untold ?? null },
    ...{ silent: observations === null ? [] : active.filter((id) => !heard.has(id)) },
  };
}

/** How the round differs from what the posted observations give. */
function differences({ decimals, latest }: FeedNow, post: Post): string[] {
  const { blockTime, count, observations } = post;
  if (latest === null || observations === null) return [];
  const counted = observations.filter(({ reason }) => reason === 0);
  const medians = mediansOf(counted, blockTime);
  const found: string[] = [];
  if (BigInt(counted.length) !== count) {
    found.push(`${count} observations are said to count, and ${counted.length} of those posted do`);
  }
  if (medians?.answer !== latest.answer) {
    const median = medians === undefined ? "none" : formatUnits(medians.answer, decimals);
    found.push(`the answer is not the median of those posted, ${median}`);
  }
  if (medians?.updatedAt !== latest.updatedAt) found.push("the time is not the median of times");
  return found;
}

function describe(feed: Checked): string {
  const {
    decimals,
    description,
    feedId,
    latest,
    observations,
    poster,
    silent,
    transaction,
    untold,
  } = feed;
  const lines = [
    printable(description),
    `  feed       ${feedId}`,
    `  latest     ${stateWords(feed)}`,
  ];
  if (latest === null) return lines.join("\n");
  lines.push(`  posted     by ${poster} in ${transaction}`);
  if (observations === null) {
    lines.push(`  observed   not told: ${printable(untold ?? "")}`);
    return lines.join("\n");
  }
  const rows = observations.map(({ observedAt, operator, reason, teeId, value }) => [
    ...[`${teeId.slice(0, 10)}…`, operator ?? "unknown", formatUnits(value, decimals)],
    ...[isoTime(observedAt), reason === 0 ? "counts" : (SKIP_REASONS[reason] ?? String(reason))],
  ]);
  const columns = ["node", "operator", "value", "observed", ""];
  const table = formatTable({ columns, rows }).split("\n");
  lines.push(...table.map((line) => `  ${line}`.trimEnd()));
  if (silent.length > 0) {
    const names = silent.map((teeId) => `${teeId.slice(0, 10)}…`).join(", ");
    lines.push(`  silent     active data nodes that are not among them: ${names}`);
  }
  return lines.join("\n");
}

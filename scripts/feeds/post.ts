import { BaseError } from "@haca/protocol/baseError";
import {
  MAXIMUM_OBSERVATIONS,
  type SignedObservation,
  SKIP_REASONS,
} from "@haca/protocol/dataFeeds";
import { askPeer } from "@haca/worker/roles/dataNode/gatherObservations";
import { formatUnits } from "ethers";
import { explainError } from "../lib/explainError.ts";
import { sendCall } from "../lib/sendCall.ts";
import { firstLine, isoTime, printable } from "../lib/words.ts";
import { badArgument, findFeed, type ReadOptions, withFeeds } from "./context.ts";

type PostOptions = Omit<ReadOptions, "json"> & {
  account: string;
  yes?: boolean;
  feed: string;
  from: readonly string[];
};

/**
 * Asks data nodes for their observations, lets the contract judge them, says which count, and posts those alone. Anybody may.
 * Errors: `feeds.badArgument`, `feeds.refused`, those of `sendCall`.
 */
export async function post(options: PostOptions): Promise<void> {
  const { from } = options;
  for (const url of from) {
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) continue;
    throw badArgument(`--from ${url} is no URL of http or https`);
  }
  if (new Set(from).size < from.length) throw badArgument("--from names a node twice");
  if (from.length > MAXIMUM_OBSERVATIONS) {
    throw badArgument(
      `--from names ${from.length} nodes, and a round takes ${MAXIMUM_OBSERVATIONS}`,
    );
  }
  await withFeeds(options.network, async (context) => {
    const { feeds, session } = context;
    const feed = await findFeed(context, options.feed);
    const { decimals, description, feedId, latest, minimumObservations, state } = feed;
    if (state === "closed") throw refuse(`${printable(description)} is closed for good`);
    const gathered: SignedObservation[] = [];
    for (const peer of from) {
      const observation = await askPeer({ peer, feedId }).catch((error: unknown) => {
        console.log(`left out     ${peer}: ${printable(firstLine(error)).slice(0, 120)}`);
        return undefined;
      });
      if (observation !== undefined) gathered.push(observation);
    }
    const judged = await feeds.judgeObservations(feedId, gathered).catch((error: unknown) => {
      throw explainError({ error, action: "judgeObservations" });
    });
    for (const [index, { observedAt, teeId, value }] of gathered.entries()) {
      const reason = Number(judged.reasons[index] ?? 0);
      const words = reason === 0 ? "counts" : `does not count: ${SKIP_REASONS[reason] ?? reason}`;
      console.log(
        `observed     ${formatUnits(value, decimals)} by ${teeId} at ${isoTime(observedAt)}: ${words}`,
      );
    }
    const counting = gathered.filter((_, index) => judged.reasons[index] === 0n);
    if (BigInt(counting.length) < minimumObservations) {
      throw refuse(
        `${counting.length} of ${from.length} count, and a round needs ${minimumObservations}`,
      );
    }
    const before = latest === null ? "no round" : formatUnits(latest.answer, decimals);
    console.log(
      `change       ${printable(description)}: ${before} -> ${formatUnits(judged.answer, decimals)}, ` +
        `round ${(latest?.roundId ?? 0n) + 1n}, of ${counting.length} observations`,
    );
    await sendCall({
      ...{ contract: feeds, signer: await session.signer(options.account), name: "post" },
      ...{ values: [feedId, counting] as const, question: session.question("Post it?", options) },
    });
  });
}

const refuse = (message: string): BaseError =>
  new BaseError({ code: "feeds.refused", message: `${message}; nothing sent` });

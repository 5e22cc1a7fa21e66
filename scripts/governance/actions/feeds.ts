import { feedIdOf, sourceHashOf } from "@haca/protocol/dataFeeds";
import { addressOf } from "../../lib/chainSession.ts";
import { duration, printable } from "../../lib/words.ts";
import { type Call, deployed } from "../call.ts";
import type { Action, ActionContext } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

const FEEDS = "DataFeeds";
const PARAMETERS_USAGE = "<heartbeat, s> <deviation, 1/100 %> <observations>";
const PARAMETERS = "(uint32 heartbeat, uint16 maximumDeviation, uint8 minimumObservations)";
const MOST_DESCRIPTION = 64;
const PART_DIGITS = 100;

type Parameters = Record<"heartbeat" | "maximumDeviation" | "minimumObservations", bigint>;

/** Its bounds are the contract's. */
async function readParameters(context: ActionContext): Promise<Parameters> {
  const { values } = context;
  const feeds = deployed(context, FEEDS);
  return {
    heartbeat: values.integer("heartbeat", {
      minimum: await feeds.LEAST_HEARTBEAT(),
      maximum: await feeds.MOST_HEARTBEAT(),
    }),
    maximumDeviation: values.integer("deviation", {
      minimum: await feeds.LEAST_DEVIATION(),
      maximum: await feeds.MOST_DEVIATION(),
    }),
    minimumObservations: values.integer("observations", {
      minimum: await feeds.LEAST_OBSERVATIONS(),
      maximum: await feeds.MAXIMUM_OBSERVATIONS(),
    }),
  };
}

const inWords = ({ heartbeat, maximumDeviation, minimumObservations }: Parameters): string =>
  `a round every ${duration(heartbeat)}, observations within ${Number(maximumDeviation) / PART_DIGITS} % ` +
  `of the median, at least ${minimumObservations} of them`;

const feedCall = (
  context: ActionContext,
  call: Pick<Call, "fragment" | "arguments" | "words">,
): Call => ({ contract: FEEDS, target: addressOf(context.book, FEEDS), ...call });

/** A feed that is open, by the id that comes next. Error: `governance.badArgument`. */
async function readOpenFeed(context: ActionContext) {
  const feedId = context.values.bytes("feed id", 32);
  const feeds = deployed(context, FEEDS);
  const count = Number(await feeds.feedCount());
  const ids = await Promise.all(Array.from({ length: count }, (_, index) => feeds.feedAt(index)));
  if (!ids.includes(feedId.toLowerCase())) throw refuse(`there is no feed ${feedId}`);
  const feed = await feeds.feedOf(feedId);
  const name = `feed ${printable(feed.description)} (${feedId})`;
  if (feed.isClosed) throw refuse(`${name} is closed, for good`);
  return { feedId, feed, name };
}

export const createFeed: Action = {
  name: "create-feed",
  usage: `<description> <decimals> <url> <JSON pointer> ${PARAMETERS_USAGE}`,
  summary: "creates a feed of what data nodes observe at a source",
  by: "proposal",
  functions: [`${FEEDS}.createFeed(string,uint8,bytes32,(uint32,uint16,uint8))`],
  build: async (context) => {
    const { values } = context;
    const description = values.text("description");
    if (Buffer.byteLength(description) > MOST_DESCRIPTION) {
      throw refuse(`the description has more than ${MOST_DESCRIPTION} bytes`);
    }
    const feeds = deployed(context, FEEDS);
    const maximum: bigint = await feeds.MOST_DECIMALS();
    const decimals = Number(values.integer("decimals", { minimum: 0n, maximum }));
    const url = values.text("url");
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw refuse(`url ${url} is none of http or https`);
    }
    const pointer = values.text("JSON pointer");
    if (!pointer.startsWith("/")) throw refuse(`JSON pointer ${pointer} does not begin with /`);
    const parameters = await readParameters(context);
    const sourceHash = sourceHashOf({ url, pointer });
    const feedId = feedIdOf({ description, decimals, sourceHash });
    const count = Number(await feeds.feedCount());
    for (let index = 0; index < count; index++) {
      if ((await feeds.feedAt(index)) === feedId) throw refuse(`there is such a feed, ${feedId}`);
    }
    return {
      calls: [
        feedCall(context, {
          fragment: `function createFeed(string description, uint8 decimals, bytes32 sourceHash, ${PARAMETERS} parameters)`,
          arguments: [description, decimals, sourceHash, parameters],
          words:
            `new feed ${description}, id ${feedId}, read at ${await feeds.readerOf(feedId, decimals)}: ` +
            `${pointer} of ${url} (source ${sourceHash}), ${decimals} decimals, ${inWords(parameters)}`,
        }),
      ],
    };
  },
};

export const setFeedParameters: Action = {
  name: "set-feed-parameters",
  usage: `<feed id> ${PARAMETERS_USAGE}`,
  summary: "sets how often a feed has a round, and which observations count",
  by: "proposal",
  functions: [`${FEEDS}.setFeedParameters(bytes32,(uint32,uint16,uint8))`],
  build: async (context) => {
    const { feedId, feed, name } = await readOpenFeed(context);
    const next = await readParameters(context);
    const before = inWords(feed.parameters);
    if (before === inWords(next)) throw refuse(`these are the parameters of ${name} already`);
    return {
      calls: [
        feedCall(context, {
          fragment: `function setFeedParameters(bytes32 feedId, ${PARAMETERS} parameters)`,
          arguments: [feedId, next],
          words: `${name}: ${before} -> ${inWords(next)}; rounds that there are stay`,
        }),
      ],
    };
  },
};

export const closeFeed: Action = {
  name: "close-feed",
  usage: "<feed id>",
  summary: "ends a feed, for good",
  by: "proposal",
  functions: [`${FEEDS}.closeFeed(bytes32)`],
  build: async (context) => {
    const { feedId, feed, name } = await readOpenFeed(context);
    return {
      calls: [
        feedCall(context, {
          fragment: "function closeFeed(bytes32 feedId)",
          arguments: [feedId],
          words:
            `${name}: open -> closed, for good; consumers get no latest answer any more, ` +
            `and its ${feed.latestRound} rounds by their numbers`,
        }),
      ],
    };
  },
};

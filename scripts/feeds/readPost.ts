/** Who made a feed's latest round, of what: from the transaction and its events. */
import { DATA_NODE_TYPE } from "@haca/protocol/dataFeeds";
import { type LogDescription, type Result, toBeHex } from "ethers";
import { addressOf } from "../lib/chainSession.ts";
import { type ContractOf, contractAt } from "../lib/contracts.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import type { FeedNow, FeedsContext } from "./context.ts";
import { type Judged, judgePosted, type Posted, type Skipped } from "./observations.ts";

/** `operator` is null for a node that the registry does not know. */
export type Observed = Judged & { operator: string | null };

export type Post = {
  poster: string;
  transaction: string;
  blockTime: bigint;
  /** how many count, as the event says */
  count: bigint;
  observations: Observed[] | null;
};

/** The post of the latest round; undefined before the first. */
export async function readPost(context: FeedsContext, feed: FeedNow): Promise<Post | undefined> {
  const { feeds, session } = context;
  const { book, provider } = session;
  const { feedId, latest } = feed;
  if (latest === null) return undefined;
  const roundTopic = toBeHex(latest.roundId, 32);
  const eventsOf = async (name: string): Promise<(LogDescription & { transaction: string })[]> => {
    const logs = await readAllLogs({
      provider,
      address: addressOf(book, "DataFeeds"),
      topics: [feeds.interface.getEvent(name)?.topicHash ?? "", feedId, roundTopic],
      fromBlock: book.contracts.DataFeeds?.block ?? 0,
    });
    return logs.flatMap((log) => {
      const parsed = feeds.interface.parseLog(log);
      return parsed === null ? [] : [Object.assign(parsed, { transaction: log.transactionHash })];
    });
  };
  const [round] = await eventsOf("RoundPosted");
  if (round === undefined) return undefined;
  const { transaction } = round;
  const sent = await provider.getTransaction(transaction);
  const block = await provider.getBlock(sent?.blockNumber ?? "latest");
  const skipped = (await eventsOf("ObservationSkipped")).map(
    ({ args }): Skipped => ({ ...postedOf(args), reason: Number(args.reason) }),
  );
  const posted =
    sent === null || sent.to !== feeds.target ? null : postedIn(feeds, feedId, sent.data);
  return {
    ...{ poster: round.args.poster, transaction, blockTime: BigInt(block?.timestamp ?? 0) },
    count: round.args.observations,
    observations:
      posted === null ? null : await withOperators(context, judgePosted(posted, skipped)),
  };
}

/** Observations of a call of `post`; null for another call. */
function postedIn(feeds: ContractOf<"DataFeeds">, feedId: string, data: string): Posted[] | null {
  const call = feeds.interface.parseTransaction({ data });
  if (call?.name !== "post" || call.args.feedId !== feedId) return null;
  return [...call.args.observations].map(postedOf);
}

const postedOf = ({ observedAt, teeId, value }: Result): Posted => ({ teeId, value, observedAt });

const registryOf = async ({ feeds, session }: FeedsContext): Promise<ContractOf<"TEERegistry">> =>
  contractAt({ name: "TEERegistry", address: await feeds.REGISTRY(), runner: session.provider });

async function withOperators(
  context: FeedsContext,
  judged: readonly Judged[],
): Promise<Observed[]> {
  const registry = await registryOf(context);
  // Whoever posted may have named a node that there is not, for which the registry reverts.
  const known = new Set(judged.some(({ reason }) => reason !== 0) ? await nodesOf(registry) : []);
  const found: Observed[] = [];
  for (const observation of judged) {
    const isKnown = observation.reason === 0 || known.has(observation.teeId);
    const operator = isKnown ? await registry.operatorOf(observation.teeId) : null;
    found.push({ ...observation, operator });
  }
  return found;
}

async function nodesOf(registry: ContractOf<"TEERegistry">): Promise<string[]> {
  const found: string[] = [];
  const count = await registry.nodeCount(DATA_NODE_TYPE);
  for (let index = 0n; index < count; index++) {
    found.push(await registry.nodeAt(DATA_NODE_TYPE, index));
  }
  return found;
}

/** Data nodes that are active now. */
export async function activeNodes(context: FeedsContext): Promise<string[]> {
  const registry = await registryOf(context);
  const found: string[] = [];
  for (const teeId of await nodesOf(registry)) {
    if (await registry.isTEEActive(teeId)) found.push(teeId);
  }
  return found;
}

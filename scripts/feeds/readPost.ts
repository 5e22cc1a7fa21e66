/** Who made a feed's latest round, of what: from the transaction, what it called, and its events. */
import { DATA_NODE_TYPE } from "@haca/protocol/dataFeeds";
import { type LogDescription, type Result, type TransactionResponse, toBeHex } from "ethers";
import { addressOf } from "../lib/chainSession.ts";
import { type ContractOf, contractAt } from "../lib/contracts.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import type { FeedNow, FeedsContext } from "./context.ts";
import { type Judged, judgePosted, type Posted, type Skipped } from "./observations.ts";
import { postsIn, tracedCalls } from "./tracedPosts.ts";

/** `operator` is null for a node that the registry does not know. */
export type Observed = Judged & { operator: string | null };

export type Post = {
  poster: string;
  transaction: string;
  blockTime: bigint;
  /** how many count, as the event says */
  count: bigint;
  observations: Observed[] | null;
  /** why observations are not told */
  untold: string | null;
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
  const posted = await postedIn(context, { feedId, sent, transaction });
  const isTold = Array.isArray(posted);
  return {
    ...{ poster: round.args.poster, transaction, blockTime: BigInt(block?.timestamp ?? 0) },
    count: round.args.observations,
    observations: isTold ? await withOperators(context, judgePosted(posted, skipped)) : null,
    untold: isTold ? null : posted.untold,
  };
}

/**
 * Observations of the call of `post` that made a feed's latest round: the transaction itself, or what it called. Where they are not
 * to be had, why.
 */
async function postedIn(
  { feeds, session }: FeedsContext,
  of: { feedId: string; transaction: string; sent: TransactionResponse | null },
): Promise<Posted[] | { untold: string }> {
  const { feedId, sent, transaction } = of;
  const abi = feeds.interface;
  let data = sent?.to === feeds.target ? sent.data : undefined;
  if (data === undefined) {
    const call = await tracedCalls(session.provider, transaction);
    if ("untold" in call) {
      const words = `it was posted by way of another contract, and the endpoint does not trace: ${call.untold}`;
      return { untold: words };
    }
    // The latest round is the transaction's last one.
    data = postsIn({ call, abi, feeds: String(feeds.target), feedId }).at(-1);
  }
  const call = data === undefined ? null : abi.parseTransaction({ data });
  if (call?.name !== "post" || call.args.feedId !== feedId) {
    return { untold: "the transaction has no such call" };
  }
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

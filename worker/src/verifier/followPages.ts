import { LogSlices } from "@haca/protocol/logSlices";
import type { Block, Log } from "ethers";
import { pageInterface } from "../chain/chain.ts";
import { answerOf, requireSameChain } from "../chain/rpcErrors.ts";
import { RetryableError } from "../errors.ts";
import { type FollowedBlock, forgetAfter, listFollowed, recordFollowed } from "./followedBlocks.ts";
import type { InspectContext } from "./inspectPages.ts";
import { recordEvent, TOPICS, wakeForEvents } from "./pageEvents.ts";
import { viewPage } from "./pageViews.ts";
import { judgeShown } from "./shownLeaves.ts";
import type { VerifierContext } from "./verifierContext.ts";
import { findWatched } from "./watchedPages.ts";

type FollowContext = VerifierContext & Pick<InspectContext, "onBad" | "onDoubted">;

/** Blocks whose events are recorded together. */
const MAXIMUM_SPAN = 5_000;
/** So many blocks are read once more each time: an endpoint of several machines may have answered from one that lags. */
const OVERLAP = 16;

/**
 * Reads events of pages from the chain, up to its head, and records them with the block up to which that was. Where that
 * block is not there any more at the next look, the chain was reorganised: everything after the youngest one that is still
 * there is forgotten and read anew. Returns whether there is more to read.
 */
export function createFollowPass(context: FollowContext): () => Promise<boolean> {
  const { chain, database, firstBlock, staking } = context;
  const { provider } = chain;
  const slices = new LogSlices();
  const address = [chain.pageSettlement, ...(staking === undefined ? [] : [staking])];
  const readLogs = (fromBlock: number, toBlock: number) =>
    provider.getLogs({ address, topics: [[...TOPICS]], fromBlock, toBlock });

  return async () => {
    await requireSameChain(chain);
    const latest = await getBlock(context, "latest");
    const last = await findLast(context);
    if (latest === null || last === "lagging" || latest.hash === last?.hash) return false;
    const from = last === undefined ? firstBlock : last.number + 1;
    const to = Math.min(latest.number, from + MAXIMUM_SPAN - 1);
    if (to < from) return false;
    const end = to === latest.number ? latest : await getBlock(context, to);
    const logs = await answerOf(
      slices.read({ from: Math.max(firstBlock, from - OVERLAP), to, readSlice: readLogs }),
    );
    const hash = await requireUnchanged({ context, block: end, number: to });
    // Before the answers count as read: a leaf that was shown is nowhere but in its transaction.
    for (const shown of await judgeShown({ context, logs: logs.filter(isAnswer) })) {
      await tell(context, shown);
    }
    await database.transaction(async (tx) => {
      for (const log of logs) {
        const isNews = log.blockNumber >= from;
        await recordEvent({ tx, log, pageSettlement: chain.pageSettlement, isNews });
      }
      const news = logs.filter(({ blockNumber }) => blockNumber >= from);
      await wakeForEvents(tx, news);
      await recordFollowed(tx, { number: to, hash });
    });
    return to < latest.number;
  };
}

async function tell(
  context: FollowContext,
  { bad, pageId, place }: Awaited<ReturnType<typeof judgeShown>>[number],
): Promise<void> {
  const { database } = context;
  const { state } = await viewPage({ context, pageId });
  if (state !== "pending" && state !== "final") return;
  if (bad !== undefined) {
    await context.onBad({ pageId, bad });
    return;
  }
  // Where the blob can be read the model was run again: whoever asks for leaves of it brings nobody to demand their proofs.
  if ((await findWatched({ database, pageId }))?.verdict !== "unreadable") return;
  const reason = "the blob cannot be read";
  await context.onDoubted({ pageId, doubted: [{ place, isWrong: false, reason }] });
}

const ANSWERED = pageInterface.getEvent("LeafAnswered")?.topicHash;
const isAnswer = ({ topics: [topic] }: Log): boolean => topic === ANSWERED;

/**
 * The youngest block up to which events were read, and which is still there; undefined where there is none. An endpoint that
 * does not have a block of that number yet lags behind what was seen before.
 */
async function findLast(context: VerifierContext): Promise<FollowedBlock | "lagging" | undefined> {
  const { database, logger } = context;
  const followed = await listFollowed({ database });
  for (const [place, known] of followed.entries()) {
    const block = await getBlock(context, known.number);
    if (block === null) return "lagging";
    if (block.hash !== known.hash) continue;
    if (place > 0) await forget(known.number);
    return known;
  }
  if (followed.length > 0) await forget(-1);
  return undefined;

  async function forget(number: number): Promise<void> {
    const pages = await forgetAfter({ database, number });
    logger.warn({ block: number, pages }, "the chain was reorganised: reading again after block");
  }
}

/** Logs are asked for by number: they are of the chain that has this block only where it was there before and after. */
async function requireUnchanged(parameters: {
  context: VerifierContext;
  block: Block | null;
  number: number;
}): Promise<string> {
  const { block, context, number } = parameters;
  const again = await getBlock(context, number);
  if (block?.hash && block.hash === again?.hash) return block.hash;
  throw new RetryableError({
    code: "rpc.changed",
    message: `HACA_RPC_URL: block ${number} was replaced while events were read`,
  });
}

const getBlock = ({ chain }: VerifierContext, tag: number | "latest"): Promise<Block | null> =>
  answerOf(chain.provider.getBlock(tag));

import { type SignedObservation, SKIP_REASONS, type SkipReason } from "@haca/protocol/dataFeeds";
import { type BlockTag, isError, type JsonRpcProvider } from "ethers";
import { feedsInterface, requireAnswer } from "../../chain/chain.ts";
import { answerOf, rpcFailure } from "../../chain/rpcErrors.ts";
import { RetryableError } from "../../errors.ts";

/** A feed as it is in a block. */
export type FeedState = {
  /** number of that block, and its time in unix seconds */
  block: number;
  time: bigint;
  description: string;
  decimals: number;
  sourceHash: string;
  isClosed: boolean;
  /** seconds */
  heartbeat: bigint;
  minimumObservations: number;
  latestRound: bigint;
  /** of the latest round; undefined where there is none */
  answer: bigint | undefined;
  /** unix seconds; zero where there is no round */
  updatedAt: bigint;
};

/** The contract of feeds, as a data node reads it. */
export type FeedContract = {
  address: string;
  /** Undefined for a feed that there is not. @throws RetryableError */
  read(feedId: string): Promise<FeedState | undefined>;
  /** Why each would not count now, by the contract's own word; `None` for those that do. @throws RetryableError */
  judge(feedId: string, observations: readonly SignedObservation[]): Promise<SkipReason[]>;
};

export function createFeedContract(parameters: {
  provider: JsonRpcProvider;
  address: string;
}): FeedContract {
  const { provider, address: to } = parameters;
  const call = async (name: string, values: readonly unknown[], block: BlockTag) => {
    const data = feedsInterface.encodeFunctionData(name, values);
    const answer = await provider.call({ to, data, blockTag: block });
    requireAnswer({ answer, name, to });
    return feedsInterface.decodeFunctionResult(name, answer);
  };
  return {
    address: to,
    async read(feedId) {
      const { block, time } = await latestBlock(provider);
      try {
        const [feed] = await call("feedOf", [feedId], block);
        const latestRound: bigint = feed.latestRound;
        const [answer, updatedAt] =
          latestRound === 0n
            ? [undefined, 0n]
            : await call("roundOf", [feedId, latestRound], block);
        return {
          ...{ block, time, latestRound, answer, updatedAt },
          description: feed.description,
          decimals: Number(feed.decimals),
          sourceHash: feed.sourceHash,
          isClosed: feed.isClosed,
          heartbeat: feed.parameters.heartbeat,
          minimumObservations: Number(feed.parameters.minimumObservations),
        };
      } catch (error) {
        if (isUnknown(error)) return undefined;
        throw rpcFailure(error);
      }
    },
    async judge(feedId, observations) {
      const ask = (block: BlockTag) => call("judgeObservations", [feedId, observations], block);
      // As of the next block: in the latest, what was seen since may be no newer than its round. Not every endpoint has it.
      const [reasons] = await ask("pending").catch((error: unknown) => {
        if (isError(error, "CALL_EXCEPTION") && error.data !== null) throw rpcFailure(error);
        return answerOf(ask("latest"));
      });
      return [...reasons].map(
        (reason: bigint) => SKIP_REASONS[Number(reason)] ?? "InvalidSignature",
      );
    },
  };
}

async function latestBlock(provider: JsonRpcProvider): Promise<{ block: number; time: bigint }> {
  const latest = await answerOf(provider.getBlock("latest"));
  if (latest !== null) return { block: latest.number, time: BigInt(latest.timestamp) };
  throw new RetryableError({ code: "rpc.failed", message: "HACA_RPC_URL: no latest block" });
}

const isUnknown = (error: unknown): boolean =>
  isError(error, "CALL_EXCEPTION") &&
  error.data !== null &&
  feedsInterface.parseError(error.data)?.name === "DataFeeds_FeedUnknown";

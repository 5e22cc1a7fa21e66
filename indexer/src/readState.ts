import {
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  createPublicClient,
  http,
} from "viem";
import { readSettings } from "../launch/readSettings.ts";

/**
 * Reads contracts, at the head or by a block's number. Ponder's own client keeps such answers across restarts, and a
 * reorganisation that happened in between gives the number to another block.
 */
export const stateClient = createPublicClient({
  transport: http(readSettings(process.env).rpcUrl),
});

/** Blocks behind the head whose state is asked for: full nodes keep about 128, and the head moves on meanwhile. */
const STATE_WINDOW = 64n;

/** Reads a contract in a block: the parameter is to be spread into those of viem's `readContract`. */
type Read<T> = (at: { blockNumber: bigint }) => Promise<T>;
type Parameters<T> = {
  /** block of the event that tells of it */
  block: bigint;
  read: Read<T>;
};

/**
 * Reads what never changes once an event has told of it, at the head: no old state is needed. Null where the contract
 * refuses: after a reorganisation the event may never have happened, and the row of the discarded one is undone in a
 * moment. An error of the node itself is thrown.
 */
export async function readConstant<T>(parameters: Parameters<T>): Promise<T | null> {
  const { block, read } = parameters;
  return await orNull(read, await headFrom(block));
}

/**
 * Reads what may change, in the event's block, for what the event does not say; null as above. A node that is no archive
 * has no state of an old block, and may say so by an error, a revert or an empty answer. So an old event is looked at in
 * a block that the node has: a later change shows in a later event, at which it is read again. What even that block's
 * state does not answer is asked at the head.
 */
export async function readState<T>(parameters: Parameters<T>): Promise<T | null> {
  const { block, read } = parameters;
  const head = await headFrom(block);
  const isRecent = head - block <= STATE_WINDOW;
  const blockNumber = isRecent ? block : head - STATE_WINDOW;
  try {
    return await read({ blockNumber });
  } catch (error) {
    if (isRecent && isA(error, ContractFunctionRevertedError)) return null;
    return await orNull(read, head);
  }
}

/**
 * Number of the latest block, at least the event's: an endpoint of several machines may ask one that lags. By number, each
 * of them knows the state or refuses; `latest` would be the lagging one's.
 */
async function headFrom(block: bigint): Promise<bigint> {
  const head = await stateClient.getBlockNumber({ cacheTime: 0 });
  return head > block ? head : block;
}

async function orNull<T>(read: Read<T>, blockNumber: bigint): Promise<T | null> {
  try {
    return await read({ blockNumber });
  } catch (error) {
    const isRefusal =
      isA(error, ContractFunctionRevertedError) || isA(error, ContractFunctionZeroDataError);
    if (isRefusal) return null;
    throw error;
  }
}

function isA(error: unknown, kind: abstract new (...values: never[]) => Error): boolean {
  return error instanceof BaseError && error.walk((layer) => layer instanceof kind) !== null;
}

import { BaseError } from "@haca/protocol/baseError";
import { keccakText, lengthOf, sliceHex, wordOf } from "../bytes.ts";
import type { ReceiptCore } from "../receipt/receipt.ts";
import type { Chain, Log } from "./openChain.ts";

/** Events of the settlement by which a request is settled for good. */

const ALONE = keccakText(
  "InferenceSettled(bytes32,bytes32,address,uint8,bytes32,bytes32,uint256,uint64,bytes32,uint256[])",
);
const IN_BATCH = keccakText(
  "ZkmlBatchItemSettled(bytes32,bytes32,address,bytes32,bytes32,uint256,uint64)",
);
/** Recorded, and free to be settled by another kind. */
const VANILLA = wordOf(0n);
/** How far a node's clock may be ahead of the block in which its result is settled, as the settlement has it. */
const MAXIMUM_CLOCK_SKEW = 60n;

/**
 * The messages that were settled for a receipt's request, in the words of its own: one, or none where endpoints do not show
 * events from so long ago.
 */
export async function messagesSettled(
  chain: Chain,
  { settlement, message }: ReceiptCore,
): Promise<readonly (readonly string[])[]> {
  const time = BigInt(message.timestamp);
  const filter = {
    ...{ address: settlement, topics: [[ALONE, IN_BATCH], [message.requestId]] },
    since: time < MAXIMUM_CLOCK_SKEW ? 0n : time - MAXIMUM_CLOCK_SKEW,
  };
  try {
    return (await chain.logs(filter)).flatMap((log) => messageOf(log));
  } catch (error) {
    if (error instanceof BaseError && error.code === "chain.refused") return [];
    throw error;
  }
}

function messageOf({ topics, data }: Log): (readonly string[])[] {
  const [event, requestId = "", version = "", requester = ""] = topics;
  const words = Array.from({ length: Math.floor(lengthOf(data) / 32) }, (_, index) =>
    sliceHex(data, 32 * index, 32 * (index + 1)),
  );
  const [kind, ...rest] = event === IN_BATCH ? [wordOf(1n), ...words, wordOf(0n)] : words;
  if (kind === VANILLA) return [];
  const [inputHash = "", outputHash = "", price = "", timestamp = "", teeId = ""] = rest;
  return [[version, inputHash, outputHash, requester, requestId, price, timestamp, teeId]];
}

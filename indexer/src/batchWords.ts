import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { BaseError } from "@haca/protocol/baseError";
import { decodeZkmlBatch, type ZkmlBatchItem } from "@haca/protocol/zkmlBatch";
import { decodeFunctionData, type Hex } from "viem";

/** The batch that was read last: its items' events come one after the other, each with the whole calldata. */
let latest: { input: Hex; wordCount: number; items: readonly ZkmlBatchItem[] } | undefined;

/**
 * The words of one item of a batch, from the calldata of the transaction that settled it: its event has only their hashes.
 * Empty where the batch is not the transaction's own call, but was sent through another contract.
 */
export function batchWords(parameters: {
  /** calldata of the transaction */
  input: Hex;
  /** the item's nonce */
  nonce: bigint;
  /** words of its version */
  wordCount: number;
}): bigint[] {
  const { input, nonce, wordCount } = parameters;
  if (latest?.input !== input || latest.wordCount !== wordCount) {
    latest = { input, wordCount, items: itemsOf({ input, wordCount }) };
  }
  return [...(latest.items.find((item) => item.nonce === nonce)?.words ?? [])];
}

function itemsOf({ input, wordCount }: { input: Hex; wordCount: number }): ZkmlBatchItem[] {
  const items = itemsArgument(input);
  if (items === undefined) return [];
  try {
    return decodeZkmlBatch({ items, wordCount });
  } catch (error) {
    if (error instanceof BaseError && error.code === "zkmlBatch.itemsLengthInvalid") return [];
    throw error;
  }
}

function itemsArgument(input: Hex): Hex | undefined {
  try {
    const call = decodeFunctionData({ abi: inferenceSettlementAbi, data: input });
    return call.functionName === "settleZkmlBatch" ? call.args[2] : undefined;
  } catch {
    return undefined;
  }
}

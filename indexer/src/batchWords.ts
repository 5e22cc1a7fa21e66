import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { BaseError } from "@haca/protocol/baseError";
import { hashWords } from "@haca/protocol/inferenceResult";
import { decodeZkmlBatch, type ZkmlBatchItem } from "@haca/protocol/zkmlBatch";
import { decodeFunctionData, type Hex } from "viem";

/** The batch that was read last: its items' events come one after the other, each with the whole calldata. */
let latest: { input: Hex; wordCount: number; items: readonly ZkmlBatchItem[] } | undefined;

/**
 * The words of one item of a batch, from the calldata of the transaction that settled it: its event has only their hashes,
 * and the contract computed those. Empty where the calldata has no words with these hashes, because the batch was sent
 * through another contract. That contract may take calldata that looks like a batch, and send another one.
 */
export function batchWords(parameters: {
  /** calldata of the transaction */
  input: Hex;
  /** the item's nonce */
  nonce: bigint;
  /** the item's hashes, from its event */
  inputHash: Hex;
  outputHash: Hex;
  /** words of its version */
  inputWords: number;
  outputWords: number;
}): bigint[] {
  const { input, nonce, inputHash, outputHash, inputWords, outputWords } = parameters;
  const wordCount = inputWords + outputWords;
  if (latest?.input !== input || latest.wordCount !== wordCount) {
    latest = { input, wordCount, items: itemsOf({ input, wordCount }) };
  }
  const item = latest.items.find(
    (one) =>
      one.nonce === nonce &&
      hashWords(one.words.slice(0, inputWords)) === inputHash &&
      hashWords(one.words.slice(inputWords)) === outputHash,
  );
  return [...(item?.words ?? [])];
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

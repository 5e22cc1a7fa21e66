import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { decodeFunctionData, type Hex, hexToBigInt, size, slice } from "viem";

const NONCE_LENGTH = 12;
/** nonce (12) | requester (20) | price (32) | timestamp (8) | proof (256) */
const HEAD_LENGTH = 72 + 256;
const WORD_LENGTH = 32;

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
  const items = itemsOf(input);
  const itemLength = HEAD_LENGTH + WORD_LENGTH * wordCount;
  if (items === undefined || size(items) % itemLength !== 0) return [];
  for (let offset = 0; offset < size(items); offset += itemLength) {
    if (hexToBigInt(slice(items, offset, offset + NONCE_LENGTH)) !== nonce) continue;
    return Array.from({ length: wordCount }, (_, word) => {
      const start = offset + HEAD_LENGTH + WORD_LENGTH * word;
      return hexToBigInt(slice(items, start, start + WORD_LENGTH));
    });
  }
  return [];
}

function itemsOf(input: Hex): Hex | undefined {
  try {
    const call = decodeFunctionData({ abi: inferenceSettlementAbi, data: input });
    return call.functionName === "settleZkmlBatch" ? call.args[2] : undefined;
  } catch {
    return undefined;
  }
}

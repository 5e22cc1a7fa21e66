import { concat, dataLength, getAddress, getBytes, hexlify, toBeHex } from "ethers";
import { BaseError } from "./baseError.ts";
import { hashWords, type InferenceResult } from "./inferenceResult.ts";
import { encodeRequestId } from "./requestId.ts";

/** One result of a batch of proofs: what `settleZkmlBatch` cannot compute itself. */
export type ZkmlBatchItem = {
  /** the node's nonce */
  nonce: bigint;
  /** account that asked; zero address if it did not say */
  requester: string;
  /** wei-scale OPG */
  price: bigint;
  /** unix seconds at which the node answered */
  timestamp: bigint;
  /** `A (64) | B (128) | C (64)` */
  proof: string;
  /** packed input words, then packed output words */
  words: readonly bigint[];
};

/** What a node signs to have somebody else send a batch; `itemsHash` is keccak256 of the encoded items. */
export const ZKML_BATCH_TYPES = {
  ZkmlBatch: [
    { name: "modelVersion", type: "bytes32" },
    { name: "node", type: "address" },
    { name: "itemsHash", type: "bytes32" },
  ],
};

const PROOF_LENGTH = 256;
const WORD_LENGTH = 32;
/** nonce (12) | requester (20) | price (32) | timestamp (8) */
const HEAD_LENGTH = 72;

/** Bytes of an item of a version with so many words, input and output together. */
export const zkmlItemLength = (wordCount: number): number =>
  HEAD_LENGTH + PROOF_LENGTH + WORD_LENGTH * wordCount;

/** The `items` of `settleZkmlBatch`. */
export const encodeZkmlBatch = (items: readonly ZkmlBatchItem[]): string =>
  concat(
    items.flatMap(({ nonce, requester, price, timestamp, proof, words }) => [
      toBeHex(nonce, 12),
      requester,
      toBeHex(price, WORD_LENGTH),
      toBeHex(timestamp, 8),
      proof,
      ...words.map((word) => toBeHex(word, WORD_LENGTH)),
    ]),
  );

/** The items again; `wordCount` is the version's number of words, input and output together. */
export function decodeZkmlBatch(parameters: { items: string; wordCount: number }): ZkmlBatchItem[] {
  const { items, wordCount } = parameters;
  const itemLength = zkmlItemLength(wordCount);
  const length = dataLength(items);
  if (length === 0 || length % itemLength !== 0) {
    throw new BaseError({
      code: "zkmlBatch.itemsLengthInvalid",
      message: `items must be a multiple of ${itemLength} bytes for ${wordCount} words, got ${length}`,
    });
  }
  // Once: a slice of hex is made from bytes of the whole.
  const bytes = getBytes(items);
  return Array.from({ length: length / itemLength }, (_, index) => {
    const item = bytes.subarray(index * itemLength, (index + 1) * itemLength);
    const part = (offset: number, size: number): string =>
      hexlify(item.subarray(offset, offset + size));
    return {
      nonce: BigInt(part(0, 12)),
      requester: getAddress(part(12, 20)),
      price: BigInt(part(32, WORD_LENGTH)),
      timestamp: BigInt(part(64, 8)),
      proof: part(HEAD_LENGTH, PROOF_LENGTH),
      words: Array.from({ length: wordCount }, (_, word) =>
        BigInt(part(HEAD_LENGTH + PROOF_LENGTH + WORD_LENGTH * word, WORD_LENGTH)),
      ),
    };
  });
}

/** The typed message that an item stands for. */
export function resultOfItem(parameters: {
  modelVersion: string;
  node: string;
  inputWordCount: number;
  item: ZkmlBatchItem;
}): InferenceResult {
  const { modelVersion, node, inputWordCount, item } = parameters;
  return {
    modelVersion,
    inputHash: hashWords(item.words.slice(0, inputWordCount)),
    outputHash: hashWords(item.words.slice(inputWordCount)),
    requester: item.requester,
    requestId: encodeRequestId({ node, nonce: item.nonce }),
    price: item.price,
    timestamp: item.timestamp,
    teeId: toBeHex(0n, WORD_LENGTH),
  };
}

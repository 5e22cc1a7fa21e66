import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { hashWords } from "@haca/protocol/inferenceResult";
import { encodeZkmlBatch } from "@haca/protocol/zkmlBatch";
import { encodeFunctionData, type Hex, zeroAddress, zeroHash } from "viem";
import { describe, expect, test } from "vitest";
import { batchWords } from "../src/batchWords.ts";

const HIGHEST = 2n ** 248n - 1n;
const item = (nonce: bigint, words: bigint[]) => ({
  ...{ nonce, requester: zeroAddress, price: 5n, timestamp: 1_900_000_000n },
  ...{ proof: `0x${"11".repeat(256)}`, words },
});
const callOf = (...items: ReturnType<typeof item>[]) =>
  encodeFunctionData({
    abi: inferenceSettlementAbi,
    functionName: "settleZkmlBatch",
    args: [zeroHash, zeroAddress, encodeZkmlBatch(items) as Hex, "0x"],
  });
const call = callOf(item(7n, [1n, 2n, 3n]), item(9n, [4n, 5n, HIGHEST]));

/** The words of an item whose event has the hashes of `words`, two of them input. */
const read = (input: Hex, nonce: bigint, words: readonly bigint[]) =>
  batchWords({
    ...{ input, nonce, inputWords: 2, outputWords: words.length - 2 },
    inputHash: hashWords(words.slice(0, 2)) as Hex,
    outputHash: hashWords(words.slice(2)) as Hex,
  });

describe("the words of a batch's item", () => {
  test("are found by its nonce", () => {
    expect(read(call, 7n, [1n, 2n, 3n])).toEqual([1n, 2n, 3n]);
    expect(read(call, 9n, [4n, 5n, HIGHEST])).toEqual([4n, 5n, HIGHEST]);
  });

  test("are those of the event, where the calldata has others", () => {
    for (const words of [
      [1n, 2n, 4n],
      [1n, 3n, 3n],
      [4n, 5n, HIGHEST],
    ]) {
      expect(read(call, 7n, words)).toEqual([]);
    }
    const twice = callOf(item(7n, [8n, 8n, 8n]), item(7n, [1n, 2n, 3n]));
    expect(read(twice, 7n, [1n, 2n, 3n])).toEqual([1n, 2n, 3n]);
  });

  test("are none where the calldata does not have them", () => {
    const other = encodeFunctionData({
      abi: inferenceSettlementAbi,
      functionName: "setSettlementWindow",
      args: [5n],
    });
    expect(read(call, 8n, [1n, 2n, 3n])).toEqual([]);
    expect(read(call, 7n, [1n, 2n, 3n, 4n])).toEqual([]);
    for (const input of [other, "0x", "0x12345678", `${call.slice(0, 300)}`] as Hex[]) {
      expect(read(input, 7n, [1n, 2n, 3n])).toEqual([]);
    }
  });
});

import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { encodeZkmlBatch } from "@haca/protocol/zkmlBatch";
import { encodeFunctionData, type Hex, zeroAddress, zeroHash } from "viem";
import { describe, expect, test } from "vitest";
import { batchWords } from "../src/batchWords.ts";

const item = (nonce: bigint, words: bigint[]) => ({
  ...{ nonce, requester: zeroAddress, price: 5n, timestamp: 1_900_000_000n },
  ...{ proof: `0x${"11".repeat(256)}`, words },
});
const items = encodeZkmlBatch([item(7n, [1n, 2n, 3n]), item(9n, [4n, 5n, 2n ** 248n - 1n])]) as Hex;
const call = encodeFunctionData({
  abi: inferenceSettlementAbi,
  functionName: "settleZkmlBatch",
  args: [zeroHash, zeroAddress, items, "0x"],
});

describe("the words of a batch's item", () => {
  test("are found by its nonce", () => {
    expect(batchWords({ input: call, nonce: 7n, wordCount: 3 })).toEqual([1n, 2n, 3n]);
    expect(batchWords({ input: call, nonce: 9n, wordCount: 3 })).toEqual([4n, 5n, 2n ** 248n - 1n]);
  });

  test("are none where the calldata does not have them", () => {
    const other = encodeFunctionData({
      abi: inferenceSettlementAbi,
      functionName: "setSettlementWindow",
      args: [5n],
    });
    expect(batchWords({ input: call, nonce: 8n, wordCount: 3 })).toEqual([]);
    expect(batchWords({ input: call, nonce: 7n, wordCount: 4 })).toEqual([]);
    for (const input of [other, "0x", "0x12345678", `${call.slice(0, 300)}`] as Hex[]) {
      expect(batchWords({ input, nonce: 7n, wordCount: 3 })).toEqual([]);
    }
  });
});

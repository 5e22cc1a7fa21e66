import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { AbiCoder, concat, Interface } from "ethers";
import { describe, expect, it } from "vitest";
import { type Chain, settlementInterface } from "../src/chain/chain.ts";
import { findFreeNonce } from "../src/chain/findFreeNonce.ts";
import { decodeRevert } from "../src/chain/rpcErrors.ts";
import { NODE } from "./support/newJob.ts";

/** A chain whose only answer is the bitmap of the nonces that it is given. */
function chainWith(settled: readonly bigint[]): Chain {
  const call = async ({ data }: { data: string }): Promise<string> => {
    const [page] = settlementInterface.decodeFunctionData("occupied", data);
    const index = (page as bigint) & ((1n << 88n) - 1n);
    const word = settled
      .filter((nonce) => nonce / 256n === index)
      .reduce((bits, nonce) => bits | (1n << (nonce % 256n)), 0n);
    return settlementInterface.encodeFunctionResult("occupied", [word]);
  };
  return { provider: { call } } as unknown as Chain;
}

describe("findFreeNonce", () => {
  it.each<[string, bigint, bigint[], bigint]>([
    ["nothing is settled", 0n, [], 0n],
    ["everything settled is known", 7n, [0n, 3n, 6n], 7n],
    ["the queue is lost", 0n, [0n], 512n],
    ["the queue is lost after a full word", 0n, [255n], 512n],
    ["the queue is lost at a word's start", 0n, [256n], 768n],
    ["the queue is an old copy", 5n, [0n, 4n, 5n], 512n],
    ["requests failed in between", 0n, [3n, 3_900n], 4_352n],
    ["many windows are full", 0n, [100n, 4_000n, 8_000n, 12_000n], 12_288n],
  ])("where %s", async (_, from, settled, expected) => {
    const nonce = await findFreeNonce({ chain: chainWith(settled), node: NODE, from });
    expect(nonce).toBe(expected);
    expect(settled.every((used) => used < nonce)).toBe(true);
  });
});

describe("decodeRevert", () => {
  const id = `0x${"ab".repeat(32)}`;

  it("names the contracts' own errors with their arguments", () => {
    const abi = new Interface(inferenceSettlementAbi);
    expect(decodeRevert(abi.encodeErrorResult("InferenceSettlement_AlreadySettled", [id]))).toEqual(
      {
        name: "InferenceSettlement_AlreadySettled",
        message: `InferenceSettlement_AlreadySettled(requestId: ${id})`,
      },
    );
    expect(decodeRevert(abi.encodeErrorResult("Groth16_ProofInvalid")).message).toBe(
      "Groth16_ProofInvalid()",
    );
  });

  it("reads strings and panics", () => {
    const coder = AbiCoder.defaultAbiCoder();
    const reason = concat(["0x08c379a0", coder.encode(["string"], ["too late"])]);
    expect(decodeRevert(reason)).toEqual({ name: "Error", message: "Error(too late)" });
    const panic = concat(["0x4e487b71", coder.encode(["uint256"], [17])]);
    expect(decodeRevert(panic)).toEqual({ name: "Panic", message: "Panic(17)" });
  });

  it.each([[null], [undefined], ["0x"]])("says so where there is no reason: %j", (data) => {
    expect(decodeRevert(data).message).toBe("reverted without a reason");
  });

  it("shows the data of an error that it does not know", () => {
    expect(decodeRevert("0x12345678")).toEqual({
      name: "unknown",
      message: "reverted with 0x12345678",
    });
  });
});

import { BaseError } from "@haca/protocol/baseError";
import { JsonRpcProvider, Network, Wallet } from "ethers";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Chain, callView, settlementInterface } from "../src/chain/chain.ts";
import { explainRevert } from "../src/chain/explainRevert.ts";
import { probeEndpoint } from "../src/chain/probeEndpoint.ts";
import { askFees, marketOf } from "../src/chain/readMarket.ts";
import { untilReachable } from "../src/start/untilReachable.ts";
import { type Answer, type Said, ScriptedEndpoint } from "./support/scriptedEndpoint.ts";

const CHAIN_ID = 31337;
const ACCOUNT = `0x${"11".repeat(20)}`;
const GWEI = 1_000_000_000n;
const MISSING = { error: { code: -32601, message: "the method does not exist/is not available" } };
const PRUNED = { error: { code: -32000, message: "missing trie node 5f1c (path ) state 0x12" } };
const ARCHIVE = { error: { code: -32002, message: "archive requests need another plan" } };
const RATE_LIMIT = { error: { code: -32005, message: "rate limit exceeded" } };

let endpoint: ScriptedEndpoint;
let provider: JsonRpcProvider;
beforeAll(async () => {
  endpoint = await ScriptedEndpoint.start();
  const network = Network.from(CHAIN_ID);
  provider = new JsonRpcProvider(endpoint.url, network, {
    ...{ staticNetwork: network, batchMaxCount: 1, cacheTimeout: -1 },
  });
});
afterAll(async () => {
  provider.destroy();
  await endpoint.stop();
});
beforeEach(() => {
  endpoint.answers = {};
});

const hex = (value: bigint): Said => ({ result: `0x${value.toString(16)}` });

describe("what an endpoint asks", () => {
  const baseFee = 7n * GWEI;
  it.each<[string, Record<string, Answer>, bigint]>([
    ["the endpoint's own tip", { eth_maxPriorityFeePerGas: hex(GWEI) }, GWEI],
    ["a tip of nothing", { eth_maxPriorityFeePerGas: hex(0n) }, 0n],
    [
      "what the gas price leaves, without the method",
      { eth_maxPriorityFeePerGas: MISSING, eth_gasPrice: hex(9n * GWEI) },
      2n * GWEI,
    ],
    [
      "what the gas price leaves, where the method answers 0x",
      { eth_maxPriorityFeePerGas: { result: "0x" }, eth_gasPrice: hex(8n * GWEI) },
      GWEI,
    ],
    [
      "what the gas price leaves, where the method answers null",
      { eth_maxPriorityFeePerGas: { result: null }, eth_gasPrice: hex(8n * GWEI) },
      GWEI,
    ],
    [
      "nothing, where the gas price is below the base fee",
      { eth_maxPriorityFeePerGas: MISSING, eth_gasPrice: hex(GWEI) },
      0n,
    ],
    [
      "nothing, where the gas price is 0x too",
      { eth_maxPriorityFeePerGas: MISSING, eth_gasPrice: { result: "0x" } },
      0n,
    ],
  ])("offers %s", async (_, answers, tip) => {
    endpoint.answers = answers;
    expect(marketOf({ asked: await askFees(provider), baseFee })).toEqual({ baseFee, tip });
  });

  it("is tried again where neither is answered", async () => {
    endpoint.answers = { eth_maxPriorityFeePerGas: MISSING, eth_gasPrice: RATE_LIMIT };
    await expect(askFees(provider)).rejects.toMatchObject({ code: "rpc.failed" });
  });
});

describe("probeEndpoint", () => {
  const probe = (confirmations = 1) =>
    probeEndpoint({ provider, chainId: CHAIN_ID, account: ACCOUNT, confirmations });

  it("takes an endpoint that has what sending needs", async () => {
    endpoint.answers = { eth_getBlockByNumber: block(200), eth_getTransactionCount: hex(3n) };
    await expect(probe(100)).resolves.toBeUndefined();
    expect(endpoint.asked("eth_getTransactionCount")).toEqual([[ACCOUNT, "0x65"]]);
  });

  it("refuses a chain without EIP-1559 in one line", async () => {
    const { baseFeePerGas: _, ...legacy } = block(200).result;
    endpoint.answers = { eth_getBlockByNumber: { result: legacy } };
    await expect(probe()).rejects.toMatchObject({
      code: "chain.noBaseFee",
      message:
        "HACA_RPC_URL: the blocks of chain 31337 have no base fee; transactions are sent by EIP-1559 only",
    });
  });

  it("names the block whose state is missing, and the setting that needs it", async () => {
    endpoint.answers = {
      eth_getBlockByNumber: block(200),
      eth_getTransactionCount: ([, tag]) => (tag === "latest" ? hex(3n) : PRUNED),
    };
    await expect(probe(100)).rejects.toMatchObject({
      code: "rpc.noState",
      message:
        "HACA_RPC_URL: the endpoint lacks the state of block 101, 99 behind its head, which HACA_CONFIRMATIONS=100 needs (missing trie node 5f1c (path ) state 0x12)",
    });
  });

  it("names it where HTTP refuses the block", async () => {
    endpoint.answers = {
      eth_getBlockByNumber: block(200),
      eth_getTransactionCount: ([, tag]) =>
        tag === "latest" ? hex(3n) : { status: 403, ...ARCHIVE },
    };
    await expect(probe(100)).rejects.toMatchObject({ code: "rpc.noState" });
  });

  it("leaves a refusal of the moment to the next attempt", async () => {
    endpoint.answers = { eth_getBlockByNumber: block(200), eth_getTransactionCount: RATE_LIMIT };
    const error = await probe(100).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(BaseError);
  });
});

describe("a view that is answered 0x", () => {
  const chain = () =>
    ({ provider, settlement: ACCOUNT, modelRegistry: ACCOUNT }) as unknown as Chain;
  const isSettled = () =>
    callView({
      ...{ chain: chain(), contract: "settlement", name: "isSettled" },
      values: [`0x${"22".repeat(32)}`],
    });

  it("is an endpoint without that state, not an answer", async () => {
    endpoint.answers = { eth_call: { result: "0x" } };
    await expect(isSettled()).rejects.toMatchObject({
      code: "rpc.emptyAnswer",
      message: `HACA_RPC_URL: the endpoint answers nothing to isSettled of ${ACCOUNT}: it lacks the state of that block`,
    });
  });

  it("does not end a start: it is asked again", async () => {
    let asked = 0;
    endpoint.answers = {
      eth_call: () => ({ result: asked++ === 0 ? "0x" : `0x${"0".repeat(63)}1` }),
    };
    const logger = pino({ level: "silent" });
    const { signal } = new AbortController();
    expect(await untilReachable({ operation: isSettled, signal, logger })).toEqual([true]);
  });
});

describe("explainRevert", () => {
  const explain = async () => {
    const raw = await Wallet.createRandom().signTransaction({
      ...{ type: 2, chainId: CHAIN_ID, nonce: 0, to: ACCOUNT, data: "0x", gasLimit: 100_000n },
      ...{ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n },
    });
    const receipt = { blockNumber: 5, gasUsed: 50_000n };
    return await explainRevert({ chain: { provider }, raw, receipt } as unknown as Parameters<
      typeof explainRevert
    >[0]);
  };

  const MESSAGE =
    "reverted; asked why in block 5, the endpoint says: missing trie node 5f1c (path ) state 0x12";

  it("takes the words of an endpoint whose state is pruned", async () => {
    endpoint.answers = { eth_call: PRUNED };
    expect(await explain()).toEqual({ name: "unknown", message: MESSAGE });
  });

  it.each<[string, Said]>([
    ["answered", { result: "0x" }],
    ["reverted", { error: { code: 3, message: "execution reverted", data: "0x" } }],
  ])("is not tried for ever where HTTP refuses the block and the head is %s", async (_, atHead) => {
    endpoint.answers = {
      eth_call: ([, tag]) => (tag === "latest" ? atHead : { status: 403, ...ARCHIVE }),
    };
    expect(await explain()).toMatchObject({
      name: "unknown",
      message: expect.stringContaining("archive requests need another plan"),
    });
  });

  it("is tried again where the endpoint answers no call at all", async () => {
    endpoint.answers = { eth_call: { status: 503, ...RATE_LIMIT } };
    await expect(explain()).rejects.toThrow();
  });

  it("names the contract's own error where the state is there", async () => {
    const data = settlementInterface.encodeErrorResult("Groth16_ProofInvalid");
    endpoint.answers = { eth_call: { error: { code: 3, message: "execution reverted", data } } };
    expect((await explain()).name).toBe("Groth16_ProofInvalid");
  });
});

/** A block as endpoints answer it, as far as ethers reads it. */
function block(number: number) {
  const hash = `0x${"ab".repeat(32)}`;
  const quantity = `0x${number.toString(16)}`;
  return {
    result: {
      ...{
        number: quantity,
        hash,
        parentHash: hash,
        timestamp: "0x1",
        nonce: "0x0000000000000000",
      },
      ...{ difficulty: "0x0", gasLimit: "0x1c9c380", gasUsed: "0x0", miner: ACCOUNT },
      ...{ extraData: "0x", baseFeePerGas: "0x7", transactions: [] as string[] },
    },
  };
}

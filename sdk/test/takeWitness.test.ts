import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { keccak } from "../src/bytes.ts";
import { readClient } from "../src/client/client.ts";
import { seal } from "../src/client/seal.ts";
import { withWitness } from "../src/client/takeWitness.ts";
import { encodeHeader } from "../src/witness/encodeHeader.ts";
import { endpoints, servedChains } from "./support/chains.ts";
import { type FakeChain, serve } from "./support/fakeChain.ts";
import { OPTIONS, receiptOf } from "./support/vectors.ts";

const receipt = receiptOf("teeWitnessed");
const { chainId, message } = receipt.core;
const bare = { ...receipt, evidence: [] };
const TIME = BigInt(message.timestamp) + 5n;
const start = servedChains();

const word = (byte: string): string => `0x${byte.repeat(32)}`;
const fields = {
  ...{ parentHash: word("01"), sha3Uncles: word("02"), miner: `0x${"03".repeat(20)}` },
  ...{ stateRoot: word("04"), transactionsRoot: word("05"), receiptsRoot: word("06") },
  ...{ logsBloom: `0x${"00".repeat(256)}`, difficulty: "0x0", number: "0x64", gasLimit: "0x1" },
  ...{ gasUsed: "0x0", timestamp: `0x${TIME.toString(16)}`, extraData: "0x" },
  ...{ mixHash: word("07"), nonce: "0x0000000000000000" },
};
const hash = keccak(encodeHeader(fields));

/** An endpoint that has the block, and this to say of its state. */
const proving = (eth_getProof: unknown, changes: Partial<FakeChain> = {}) =>
  start({
    ...{ chainId: BigInt(chainId), hash, time: TIME, ...changes },
    overrides: { eth_getBlockByHash: fields, eth_getProof, ...changes.overrides },
  });
const askedOf = (rpc: string) => ({ chainId, pins: OPTIONS.pins, rpcs: [rpc] });
/** Lists so deep in each other that whoever goes down them by calls of itself runs out of stack. */
const NESTED = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
/** The same endpoint, but for one method, which it answers with this text. */
async function saying(method: string, words: string): Promise<string> {
  const honest = await proving(null);
  const endpoint = await serve([], async (request, response) => {
    const body = await text(request);
    response.setHeader("content-type", "application/json");
    if (JSON.parse(body).method === method) return void response.end(words);
    const answer = await fetch(honest, { method: "POST", body });
    response.end(await answer.text());
  });
  endpoints.push(endpoint);
  return endpoint.url;
}

describe("a witness that cannot be made costs no answer", () => {
  it.each<[string, unknown]>([
    ["no nodes", { accountProof: [], storageProof: [] }],
    ["no proof", null],
    ["a node that is no list", { accountProof: ["0x01"], storageProof: [] }],
    ["what is no hex", { accountProof: [1], storageProof: [] }],
  ])("where an endpoint shows %s", async (_, proof) => {
    const rpc = await proving(proof);
    const taken = await withWitness(askedOf(rpc), bare, { wantsWitness: true });
    expect(taken).toEqual({ receipt: bare, witness: { missing: expect.stringMatching(/./) } });
    // Who seals asks for the witness alone, and is told what kind of failure it is.
    const client = readClient(askedOf(rpc));
    await expect(seal({ client, receipt: bare, wantsWitness: true })).rejects.toMatchObject({
      code: "chain.badAnswer",
    });
  });

  it.each<[string, string]>([
    ["proofs", `{"result":{"accountProof":${NESTED},"storageProof":[]}}`],
    ["refusals", `{"error":{"message":${NESTED}}}`],
  ])("where an endpoint's %s are lists without end in each other", async (_, words) => {
    const rpc = await saying("eth_getProof", words);
    const { witness } = await withWitness(askedOf(rpc), bare, { wantsWitness: true });
    expect(witness).toEqual({ missing: expect.not.stringMatching(/call stack/) });
  });

  it("where the endpoints' block is older than the answer, which it could show nothing of", async () => {
    const missing = "the endpoints' block is older than the answer";
    const rpc = await proving(null, { time: BigInt(message.timestamp) - 61n });
    const taken = await withWitness(askedOf(rpc), bare, { wantsWitness: true });
    expect(taken).toEqual({ receipt: bare, witness: { missing } });
    // A clock may be ahead by a minute.
    const near = await proving(null, { time: BigInt(message.timestamp) - 60n });
    expect((await withWitness(askedOf(near), bare, { wantsWitness: true })).witness).not.toEqual({
      missing,
    });
  });

  it("where what makes it cannot be loaded", async () => {
    onTestFinished(() => {
      vi.doUnmock("../src/witness/makeWitness.ts");
      vi.resetModules();
    });
    vi.resetModules();
    vi.doMock("../src/witness/makeWitness.ts", () => {
      throw new Error("no such chunk");
    });
    const { withWitness: fresh } = await import("../src/client/takeWitness.ts");
    const taken = await fresh(askedOf(await proving(null)), bare, { wantsWitness: true });
    expect(taken).toEqual({ receipt: bare, witness: { missing: expect.stringMatching(/./) } });
  });
});

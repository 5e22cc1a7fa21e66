import { pageIdOf } from "@haca/protocol/pageSettlement";
import { describe, expect, it } from "vitest";
import { settledDigest } from "../src/chain/contractReads.ts";
import { isVerified } from "../src/isVerified.ts";
import type { Check } from "../src/line.ts";
import type { Receipt } from "../src/receipt/receipt.ts";
import { verify } from "../src/verify.ts";
import { endpoints, HONEST, REGISTRY, SESSION_FROM, servedChains } from "./support/chains.ts";
import { type FakeChain, serve } from "./support/fakeChain.ts";
import { NOW, OPTIONS, receiptOf, textOf, VECTORS } from "./support/vectors.ts";

const BLOCK_HASH = `0x${"ab".repeat(32)}`;
const TIME = `0x${NOW.toString(16)}`;

const start = servedChains();

const open = async (...chains: Partial<FakeChain>[]): Promise<string[]> =>
  Promise.all(chains.map(start));

async function ask(name: string, rpcs: readonly string[], check: Check) {
  const lines = await verify(textOf(name), { ...OPTIONS, rpcs });
  const line = lines.find((found) => found.check === check);
  return [line?.status, line?.source, line?.detail];
}

const withAnswer = (name: string, ...values: unknown[]): Partial<FakeChain> => ({
  contracts: { ...HONEST, [name]: () => values },
});

describe("a chain", () => {
  it("is asked at one block by its hash, and the lines say which", async () => {
    const rpcs = await open({ number: 100n }, { number: 101n }, {});
    const lines = await verify(textOf("teeP256InPage"), { ...OPTIONS, rpcs });
    const chain = lines.filter(({ asOf }) => asOf.type === "block");
    expect(chain.map(({ check, status, source }) => [check, status, source])).toEqual([
      ...["validWhenAnswered", "inGoodStanding", "settled"].map((check) => [
        check,
        "asserted",
        "3 RPCs that agree",
      ]),
    ]);
    expect(chain[0]?.asOf).toEqual({
      type: "block",
      number: "100",
      hash: `0x${"ab".repeat(32)}`,
      time: String(NOW),
    });
    const at = JSON.stringify({ blockHash: `0x${"ab".repeat(32)}`, requireCanonical: true });
    const { calls = [] } = endpoints[0] ?? {};
    expect(calls.filter((call) => call.startsWith("{")).every((call) => call === at)).toBe(true);
    expect(isVerified(lines, { attestation: "registry", demands: ["settled"] })).toBe(true);
  });

  it("is asked nothing of a settlement that is not pinned", async () => {
    const rpcs = await open({});
    const lines = await verify(textOf("teeRsa"), { pins: {}, rpcs, now: NOW });
    expect(lines.filter(({ asOf }) => asOf.type === "block")).toEqual([]);
    expect(endpoints[0]?.calls).toEqual([]);
  });

  it("is trusted by name where one endpoint speaks for it, and does not make up for the pins", async () => {
    const rpcs = await open({});
    expect(await ask("teeRsa", rpcs, "validWhenAnswered")).toEqual([
      ...["asserted", "trusts 1 RPC", "enclave and model's version were in service"],
    ]);
    const { images: _, ...pins } = OPTIONS.pins;
    const lines = await verify(textOf("teeRsa"), { pins, rpcs, now: NOW });
    expect(isVerified(lines)).toBe(false);
    expect(isVerified(lines, { attestation: "registry" })).toBe(true);
  });

  it.each<[string, Partial<FakeChain>, RegExp]>([
    [
      "another answer",
      withAnswer("wasInService", false),
      /do not agree on what a contract answers/,
    ],
    ["another block", { hash: `0x${"cd".repeat(32)}` }, /do not agree on a block/],
    ["another time of the block", { time: NOW - 1n }, /do not agree on a block/],
    ["another chain", { chainId: 1n }, /is of chain 1, not 31337/],
    ["no block", { overrides: { eth_getBlockByNumber: null } }, /does not have a block/],
    ["no bytes", { overrides: { eth_call: null } }, /answers no bytes/],
    ["too few bytes", { overrides: { eth_call: "0x01" } }, /do not agree/],
    [
      "another block than the one that was asked for",
      {
        overrides: { eth_getBlockByNumber: { number: "0x65", hash: BLOCK_HASH, timestamp: TIME } },
      },
      /do not agree on a block/,
    ],
    ["no number", { overrides: { eth_blockNumber: "100" } }, /answers no number/],
    ["a revert", { contracts: {} }, /refused eth_call: execution reverted/],
  ])("says nothing where one of three endpoints has %s", async (_, lie, reason) => {
    const rpcs = await open({}, lie, {});
    const [status, source, detail] = await ask("teeRsa", rpcs, "validWhenAnswered");
    expect([status, source]).toEqual(["unknown", "nobody"]);
    expect(detail).toMatch(reason);
  });

  it.each<[string, Parameters<typeof serve>[1], RegExp]>([
    ["is no JSON", (_, response) => void response.end("<html>"), /answers no JSON-RPC/],
    [
      "is a redirection",
      (_, response) => void response.writeHead(302, { location: "http://127.0.0.1/" }).end(),
      /does not answer/,
    ],
    ["breaks off", (request) => void request.socket.destroy(), /does not answer/],
    [
      "does not end",
      (_, response) => {
        const write = (): void => {
          while (response.write(" ".repeat(1 << 16)));
        };
        response.on("drain", write);
        write();
      },
      /does not end/,
    ],
  ])("says nothing where an answer %s", async (_, listener, reason) => {
    const endpoint = await serve([], listener);
    endpoints.push(endpoint);
    const [status, , detail] = await ask("teeRsa", [endpoint.url], "validWhenAnswered");
    expect(status).toBe("unknown");
    expect(detail).toMatch(reason);
  });

  it.each<[string, string, Check, Partial<FakeChain>, string, RegExp]>([
    [
      "an enclave that was not in service",
      "teeRsa",
      "validWhenAnswered",
      withAnswer("wasInService", false),
      "refuted",
      /not in service/,
    ],
    [
      "a version that is unknown",
      "zkml",
      "validWhenAnswered",
      withAnswer("settlementData", 0, REGISTRY, 0, 0, 0),
      "refuted",
      /is unknown/,
    ],
    [
      "a version that was deprecated before",
      "zkml",
      "validWhenAnswered",
      withAnswer("settlementData", 2, REGISTRY, 2, 1, NOW - 60n),
      "refuted",
      /was deprecated/,
    ],
    [
      "a version that was deprecated after",
      "zkml",
      "validWhenAnswered",
      withAnswer("settlementData", 2, REGISTRY, 2, 1, NOW - 59n),
      "asserted",
      /was in use/,
    ],
    [
      "a version that is deprecated now",
      "zkml",
      "inGoodStanding",
      withAnswer("settlementData", 2, REGISTRY, 2, 1, NOW),
      "refuted",
      /not published/,
    ],
    [
      "an enclave that is not active now",
      "teeRsa",
      "inGoodStanding",
      withAnswer("isTEEActive", false),
      "refuted",
      /not active/,
    ],
    [
      "a session's key for heartbeats",
      "teeSession",
      "session",
      withAnswer("sessionKey", { from: SESSION_FROM, until: NOW, signsResults: false }),
      "refuted",
      /no such key for results/,
    ],
    [
      "a session that was over",
      "teeSession",
      "session",
      withAnswer("sessionKey", { from: SESSION_FROM, until: NOW - 60n, signsResults: true }),
      "refuted",
      /not valid/,
    ],
    [
      "a session that began later",
      "teeSession",
      "session",
      withAnswer("sessionKey", { from: NOW - 59n, until: NOW, signsResults: true }),
      "refuted",
      /not valid/,
    ],
    ["a good session", "teeSession", "session", {}, "asserted", /certified/],
    ["a request that is not settled", "zkml", "settled", {}, "unknown", /not settled yet/],
    [
      "a request of which nobody knows what was settled",
      "zkml",
      "settled",
      withAnswer("isSettled", true),
      "unknown",
      /which result/,
    ],
    [
      "a page that is pending",
      "zkmlInPage",
      "settled",
      withAnswer("verifyInclusion", 1, 9, 9),
      "unknown",
      /pending/,
    ],
    ["a page that is final", "zkmlInPage", "settled", {}, "asserted", /final/],
    [
      "a page that was disproved",
      "zkmlInPage",
      "settled",
      withAnswer("verifyInclusion", 4, 0, 0),
      "refuted",
      /wrong after/,
    ],
    [
      "a page of a contract that the settlement does not know",
      "zkmlInPage",
      "settled",
      withAnswer("isLedgerWriter", false),
      "unknown",
      /not settled yet/,
    ],
  ])("says what it has of %s", async (_, name, check, chain, expected, reason) => {
    const [status, , detail] = await ask(name, await open(chain), check);
    expect(status).toBe(expected);
    expect(detail).toMatch(reason);
  });

  it.each<[string, Partial<FakeChain>, RegExp]>([
    [
      "another block than it was asked for",
      {
        overrides: { eth_getBlockByNumber: { number: "0x65", hash: BLOCK_HASH, timestamp: TIME } },
      },
      /another block/,
    ],
    ["no registry", withAnswer("teeRegistry", `0x${"00".repeat(20)}`), /names no contract/],
    [
      "neither yes nor no",
      { overrides: { eth_call: `0x${"2".padStart(64, "0")}` } },
      /neither yes nor no/,
    ],
    [
      "more words than belong there",
      { overrides: { eth_call: `0x${"00".repeat(64)}` } },
      /something else/,
    ],
  ])("says nothing where the one endpoint has %s", async (_, lie, reason) => {
    const [status, , detail] = await ask("teeRsa", await open(lie), "inGoodStanding");
    expect(status).toBe("unknown");
    expect(detail).toMatch(reason);
  });

  it("verifies the answer of a session that the enclave certified", async () => {
    const lines = await verify(textOf("teeSession"), { ...OPTIONS, rpcs: await open({}) });
    expect(isVerified(lines)).toBe(true);
  });

  it("that invents an enclave is believed under no pins, and by name where only the registry is asked", async () => {
    const bad = VECTORS.bad.find(({ name }) => name === "another root");
    const invented = bad?.value as Receipt;
    const rpcs = await open({});
    const { images: _, ...withoutImages } = OPTIONS.pins;
    for (const pins of [OPTIONS.pins, withoutImages]) {
      const lines = await verify(invented, { pins, rpcs, now: NOW });
      expect(isVerified(lines)).toBe(false);
      expect(isVerified(lines, { attestation: "registry" })).toBe(false);
    }
    const bare = { ...invented, core: { ...invented.core, attestation: null }, evidence: [] };
    const lines = await verify(bare, { ...OPTIONS, rpcs });
    expect(isVerified(lines)).toBe(false);
    expect(isVerified(lines, { attestation: "registry" })).toBe(true);
    expect(lines.find(({ check }) => check === "validWhenAnswered")?.source).toBe("trusts 1 RPC");
    const honest = await open(withAnswer("wasInService", false));
    const among = await verify(bare, { ...OPTIONS, rpcs: [...rpcs, ...honest] });
    expect(isVerified(among, { attestation: "registry" })).toBe(false);
  });

  it("says which result was settled, where it had a price", async () => {
    const digest = settledDigest(1n, receiptOf("zkml").core);
    const settled = { ...HONEST, isSettled: () => [true] };
    const other = await open({
      contracts: { ...settled, digestOf: () => [`0x${"12".repeat(32)}`] },
    });
    expect((await ask("zkml", other, "settled"))[0]).toBe("refuted");
    const same = await open({ contracts: { ...settled, digestOf: () => [digest] } });
    expect((await ask("zkml", same, "settled"))[0]).toBe("asserted");
  });

  it("takes back neither what an answer was nor what was settled when a node goes", async () => {
    const rpcs = await open(withAnswer("isTEEActive", false));
    const lines = await verify(textOf("teeP256InPage"), { ...OPTIONS, rpcs });
    expect(lines.find(({ check }) => check === "inGoodStanding")?.status).toBe("refuted");
    expect(isVerified(lines, { demands: ["validWhenAnswered", "settled"] })).toBe(true);
    expect(isVerified(lines, { demands: ["inGoodStanding"] })).toBe(false);
  });

  it("is asked about the time of the answer, and about none in the future", async () => {
    const times: unknown[] = [];
    const wasInService = (_: unknown, time: unknown) => {
      times.push(time);
      return [true];
    };
    const contracts = { ...HONEST, wasInService };
    await ask("teeRsa", await open({ contracts }), "validWhenAnswered");
    await ask("teeRsa", await open({ contracts, time: NOW - 90n }), "validWhenAnswered");
    expect(times).toEqual([NOW - 60n, NOW - 90n]);
  });

  it("is shown the page's header and leaf as the contract reads them", async () => {
    const seen: unknown[] = [];
    const verifyInclusion = (header: unknown, leaf: unknown) => {
      seen.push(header, leaf);
      return [2, 0, 0];
    };
    await ask(
      "teeP256InPage",
      await open({ contracts: { ...HONEST, verifyInclusion } }),
      "settled",
    );
    const [header, leaf] = seen as [
      Parameters<typeof pageIdOf>[0]["header"],
      Record<string, unknown>,
    ];
    const { core, evidence } = receiptOf("teeP256InPage");
    const page = evidence.find(({ type }) => type === "page");
    if (page?.type !== "page") throw new Error("no page");
    const { pageSettlement, pageId, path } = page;
    expect(pageIdOf({ chainId: BigInt(core.chainId), pageSettlement, header })).toBe(pageId);
    expect(leaf.index).toBe(BigInt(core.message.requestId) & 0xffn);
    expect([...(leaf.siblings as string[])]).toEqual(path);
    // In the page stands the form with the upper s.
    expect(leaf.signature).not.toBe(core.signature);
    const words = Object.values(core.message).map((value) => BigInt(value));
    expect([...(leaf.result as string[])].map((value) => BigInt(value))).toEqual(words);
  });
});

import { BaseError } from "@haca/protocol/baseError";
import { commitInput, parseSalt } from "@haca/protocol/inputCommitment";
import { id, keccak256, ZeroAddress } from "ethers";
import { afterEach, describe, expect, it } from "vitest";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { wordOf } from "../src/bytes.ts";
import type { HacaOptions } from "../src/client/client.ts";
import { createHaca } from "../src/client/createHaca.ts";
import type { InferOptions } from "../src/client/infer/inferOptions.ts";
import { isVerified } from "../src/isVerified.ts";
import { verify } from "../src/verify.ts";
import { servedChains } from "./support/chains.ts";
import { type Contracts, SETTLEMENT } from "./support/fakeChain.ts";
import {
  ANSWER,
  INPUT,
  INPUT_WORDS,
  type InferNode,
  type Lies,
  OUTPUT_LAYOUT,
  OWNER,
  PINNED_MODEL,
  serveInferNode,
  VERIFYING_KEY,
  VERSION,
  WITH_HIDING_MODEL,
  WITH_MODEL,
} from "./support/inferNode.ts";

const start = servedChains();
const nodes: InferNode[] = [];
afterEach(() => {
  for (const { close } of nodes.splice(0)) close();
});

const SETTLEMENTS = [{ chainId: "31337", settlement: SETTLEMENT }];
const ASKED = { model: "four", input: INPUT } satisfies InferOptions;

async function setUp(
  lies: Lies = {},
  { contracts = WITH_MODEL, ...client }: Partial<HacaOptions> & { contracts?: Contracts } = {},
) {
  const node = await serveInferNode(lies);
  nodes.push(node);
  const time = BigInt(Math.floor(Date.now() / 1000));
  const rpc = await start({ time, contracts });
  const pins = { settlements: SETTLEMENTS, models: { four: PINNED_MODEL } };
  const haca = createHaca({
    ...{ chainId: 31337, rpcs: [rpc], nodes: [node.url], pins, ...client },
  });
  return { haca, node, pins };
}

const inferFrom = async (lies: Lies, options: Partial<InferOptions> = {}) => {
  const { haca } = await setUp(lies);
  return await haca.infer({ ...ASKED, pollMs: 1, proofMs: 200, ...options });
};

describe("infer", () => {
  it("answers with what was proved, and a receipt that stands alone", async () => {
    const { haca, node, pins } = await setUp();
    const said: string[] = [];
    const requester = `0x${"AB".repeat(20)}`;
    const answer = await haca.infer({
      ...{ ...ASKED, requester, pollMs: 1, onProgress: (words) => said.push(words) },
    });
    expect(answer).toMatchObject({ verification: "verified", outputs: ANSWER });
    expect(node.asked[0]).toEqual({
      ...{ model: "four", version: "1.2", input: [0.5, -1, 2.25, 3] },
      requester: requester.toLowerCase(),
    });
    expect(said).toEqual([expect.stringMatching(/^waiting for the proof of 127.0.0.1:\d+: the/)]);
    const lines = await verify(answer.receipt, { pins });
    expect(isVerified(lines)).toBe(true);
    expect(lines.find(({ check }) => check === "proof")?.source).toBe("pins");
  });

  it.each([VERSION, `${OWNER.toUpperCase().replace("X", "x")}/four@1.2`])(
    "finds %s by the registry, whose word for the key it says",
    async (model) => {
      const { haca } = await setUp({}, { pins: { settlements: SETTLEMENTS } });
      const answer = await haca.infer({ ...ASKED, model, pollMs: 1 });
      expect(answer.outputs).toEqual(ANSWER);
      const source = (wanted: string) => answer.lines.find(({ check }) => check === wanted)?.source;
      expect([source("model"), source("proof")]).toEqual(["pins", "trusts 1 RPC"]);
    },
  );

  it("does not wait for the proof where that is spelled out, and marks the answer", async () => {
    const { haca, node } = await setUp();
    const answer = await haca.infer({ ...ASKED, proof: "off" });
    expect(answer).toMatchObject({ verification: "off", outputs: ANSWER });
    expect([isVerified(answer.lines), node.asked.length]).toEqual([false, 1]);
  });

  it("takes nothing of what stands beside what was signed", async () => {
    const beside = { outputs: { scores: [9] }, label: 9, model: "other", requestId: "0x00" };
    expect((await inferFrom({ beside, status: { receipt: {}, model: 7 } })).outputs).toEqual(
      ANSWER,
    );
  });
});

describe("a node that lies", () => {
  const word = `0x${"12".repeat(32)}`;
  const old = BigInt(Math.floor(Date.now() / 1000)) - 120n;
  const unexpected = (field: string) => ({ code: "answer.unexpected", details: { field } });
  const missing = (...checks: string[]) => ({
    ...{ code: "answer.notVerified", details: { missing: checks } },
  });
  const malformed = { code: "node.malformed" };

  it.each<[string, Lies, object]>([
    ["another version's answer", { job: { versionId: word } }, unexpected("modelVersion")],
    ["other input words", { job: { inputWords: [5n] } }, unexpected("input")],
    ["input words that it did not sign", { receipt: { inputWords: ["5"] } }, unexpected("input")],
    ["more input words", { job: { inputWords: [1n, 2n] } }, unexpected("input")],
    ["output words that it did not sign", { receipt: { outputWords: ["5"] } }, missing("output")],
    ["bits that are no output's", { job: { outputWords: [1n << 200n] } }, malformed],
    ["another number of output words", { job: { outputWords: [1n, 2n] } }, malformed],
    ["no output words", { receipt: { outputWords: [] } }, malformed],
    ["a price", { job: { price: 1n } }, unexpected("price")],
    ["a time before the question", { job: { timestamp: old } }, unexpected("timestamp")],
    ["a time to come", { job: { timestamp: old + 240n } }, missing("time")],
    ["another's request", { job: { requester: OWNER } }, unexpected("requester")],
    ["another node's request", { job: { requestId: word } }, missing("signature")],
    [
      "another's signature",
      { receipt: { signature: `0x${"12".repeat(64)}1b` } },
      missing("signature"),
    ],
    ["no signature", { receipt: { signature: "0x" } }, malformed],
    [
      "an enclave",
      { job: { enclave: { teeId: word, inputHash: word, outputHash: word } } },
      malformed,
    ],
    [
      "another chain",
      { domain: { chainId: 1n, verifyingContract: SETTLEMENT } },
      missing("contract", "signature"),
    ],
    ["the proof of another request", { proof: { requestId: word } }, missing("proof")],
    ["the proof of another output", { proof: { outputWords: [1n] } }, missing("proof")],
    ["the proof of another version", { hasOtherKey: true }, missing("proof")],
    ["a proof of no points", { proof: `0x${"12".repeat(256)}` }, missing("proof")],
    ["half a proof", { proof: `0x${"12".repeat(128)}` }, malformed],
    ["a proof that is a number", { status: { proof: 7 } }, malformed],
    ["no state", { status: { state: 7 } }, malformed],
    ["a proof that never comes", { status: { proof: null } }, { code: "answer.noProof" }],
    [
      "a proof that it gave up",
      { status: { proof: null, state: "failed", failure: "x" } },
      { code: "answer.noProof" },
    ],
    ["a receipt that is none", { receipt: { message: null } }, malformed],
    ["a word with a leading zero", { receipt: { outputWords: ["05"] } }, malformed],
    ["a word with an exponent", { receipt: { outputWords: ["1e3"] } }, malformed],
    ["a word below zero", { receipt: { outputWords: ["-5"] } }, malformed],
    ["a word that is too large", { receipt: { outputWords: [String(1n << 256n)] } }, malformed],
    ["a word that is a number", { receipt: { outputWords: [5] } }, malformed],
    ["nothing but HTML", { answer: (_, response) => void response.end("<html>") }, malformed],
    ["a list", { answer: (_, response) => void response.end("[]") }, malformed],
    [
      "a refusal",
      { answer: (_, response) => void response.writeHead(404).end() },
      { code: "node.refused" },
    ],
    [
      "a redirection",
      { answer: (_, response) => void response.writeHead(307, { location: "/" }).end() },
      { code: "node.redirect" },
    ],
    [
      "a body without an end",
      {
        answer(_, response) {
          const write = (): void => {
            while (response.write(" ".repeat(1 << 20)));
          };
          response.on("drain", write);
          write();
        },
      },
      { code: "node.tooLong" },
    ],
    ["nothing", { answer: (request) => void request.socket.destroy() }, { code: "node.brokenOff" }],
  ])("with %s is caught", async (_, lies, expected) => {
    const error: unknown = await inferFrom(lies).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BaseError);
    expect(error).toMatchObject(expected);
  });
});

describe("a registry", () => {
  const asking = async (contracts: Contracts, options: Partial<InferOptions> = {}) => {
    const { haca, node } = await setUp({}, { contracts: { ...WITH_MODEL, ...contracts } });
    const error: unknown = await haca.infer({ ...ASKED, ...options }).catch((e: unknown) => e);
    expect(node.asked).toEqual([]);
    return error;
  };

  const viewOf = (version: unknown) => WITH_MODEL.getVersion?.(version)?.[0] as object;

  it.each<[string, Contracts, object]>([
    [
      "does not know the version",
      { settlementData: () => [0, ZeroAddress, 0, 0, 0] },
      { code: "model.unknown" },
    ],
    [
      "has deprecated it",
      { settlementData: () => [2, OWNER, 1, 1, 9] },
      { code: "model.deprecated" },
    ],
    [
      "has no key of it",
      { settlementData: () => [1, ZeroAddress, 0, 0, 0] },
      { code: "model.notProvable" },
    ],
    [
      "shows another key than the pinned one",
      { getVerifyingKey: () => [withOtherEnd(VERIFYING_KEY)] },
      { code: "model.notAsPinned" },
    ],
    [
      "has a commitment for its input",
      { getVersion: (version) => [{ ...viewOf(version), inputMode: 1 }] },
      { code: "model.inputCommitted" },
    ],
    [
      "has an input of another kind",
      { getVersion: (version) => [{ ...viewOf(version), inputMode: 2 }] },
      { code: "chain.badAnswer" },
    ],
    [
      "names it by what is no name",
      { getModel: () => [{ owner: OWNER, slug: "a b", createdAt: 1, versionCount: 1 }] },
      { code: "chain.badAnswer" },
    ],
  ])("that %s has nobody asked", async (_, contracts, expected) => {
    expect(await asking(contracts)).toMatchObject(expected);
  });

  it.each<[string, Partial<InferOptions>, string]>([
    ["a model that is not pinned", { model: "five" }, "option.wrong"],
    ["a version that is not published", { model: `${OWNER}/four@9.9` }, "model.unknown"],
    ["too few numbers", { input: [1] }, "input.wrongLength"],
    ["a number out of range", { input: [64, 0, 0, 0] }, "input.outOfRange"],
    ["no number", { input: [Number.NaN, 0, 0, 0] }, "input.notFinite"],
    ["text", { input: ["1", 0, 0, 0] as never }, "option.wrong"],
    ["an option that there is not", { modle: 1 } as never, "option.wrong"],
  ])("is no matter of %s", async (_, options, code) => {
    expect(await asking({}, options)).toMatchObject({ code });
  });
});

describe("pinned layouts", () => {
  /** Written out: what pins hold must not change with the code that writes it. */
  const HASH = id(
    '{"inputLayout":[{"bits":8,"count":4,"isSigned":true,"scaleExponent":-1}],"inputMode":"packed",' +
      '"outputLayout":[{"bits":16,"count":3,"isSigned":true,"scaleExponent":-4},' +
      '{"bits":2,"count":1,"isSigned":false,"scaleExponent":0}]}',
  );
  const viewOf = (version: unknown) => WITH_MODEL.getVersion?.(version)?.[0] as object;
  const pinned = (layoutsHash: string) => ({
    settlements: SETTLEMENTS,
    models: { four: { ...PINNED_MODEL, layoutsHash } },
  });

  it("are the registry's, or nobody is asked: endpoints that all lie move no point", async () => {
    const good = await setUp({}, { pins: pinned(HASH) });
    const { outputs } = await good.haca.infer({ ...ASKED, pollMs: 1 });
    expect(outputs).toEqual(ANSWER);
    const moved = OUTPUT_LAYOUT.map((layout, place) =>
      place === 0 ? { ...layout, scaleExponent: -3 } : layout,
    );
    for (const lie of [{ outputLayout: moved }, { inputMode: 1 }]) {
      const getVersion = (version: unknown) => [{ ...viewOf(version), ...lie }];
      const lied = await setUp(
        {},
        { contracts: { ...WITH_MODEL, getVersion }, pins: pinned(HASH) },
      );
      await expect(lied.haca.infer(ASKED)).rejects.toMatchObject({ code: "model.notAsPinned" });
      expect(lied.node.asked).toEqual([]);
    }
    // Without the pin the first is believed.
    const getVersion = (version: unknown) => [{ ...viewOf(version), outputLayout: moved }];
    const bare = await setUp({}, { contracts: { ...WITH_MODEL, getVersion } });
    expect((await bare.haca.infer({ ...ASKED, pollMs: 1 })).outputs[0]).toEqual([-2, 4, 1]);
  });

  it("are told by a look at the model", async () => {
    const contracts = { ...WITH_MODEL, listVersions: () => [[]] };
    const { haca } = await setUp({}, { contracts });
    const { model } = await haca.model("four");
    expect(model.versions[0]?.layoutsHash).toBe(HASH);
  });
});

it("of two endpoints that show different keys, neither is believed", async () => {
  const time = BigInt(Math.floor(Date.now() / 1000));
  const lying = { ...WITH_MODEL, getVerifyingKey: () => [keccak256(id("key"))] };
  const rpcs = [
    await start({ time, contracts: WITH_MODEL }),
    await start({ time, contracts: lying }),
  ];
  const { haca } = await setUp({}, { rpcs });
  await expect(haca.infer(ASKED)).rejects.toMatchObject({ code: "chain.disagreement" });
});

describe("infer of a model whose input word is a commitment", () => {
  const SALT = `0x${"5a".repeat(24).padStart(64, "0")}`;
  const hidden = async (inputWord: bigint, options: Partial<InferOptions>) => {
    const contracts = WITH_HIDING_MODEL;
    const { haca, node, pins } = await setUp({ job: { inputWords: [inputWord] } }, { contracts });
    const asked = { ...ASKED, pollMs: 1, proofMs: 200, ...options };
    return { answer: haca.infer(asked), node, pins };
  };

  it.each<["committed" | "salted", { salt?: string }]>([
    ["salted", { salt: SALT }],
    ["committed", {}],
  ])(
    "has the answer for its own commitment proved, and no word of it shown: %s",
    async (mode, salt) => {
      const salted = salt.salt === undefined ? {} : { salt: parseSalt(salt.salt) };
      const commitment = commitInput({ mode, words: INPUT_WORDS, ...salted });
      const { answer, node, pins } = await hidden(commitment, { inputMode: mode, ...salt });
      const { outputs, receipt, salt: kept, verification } = await answer;
      expect({ outputs, verification, kept }).toEqual({
        ...{ outputs: ANSWER, verification: "verified", kept: salt.salt ?? null },
      });
      const { salt: sent } = node.asked[0] as { salt?: string };
      expect(sent).toBe(salt.salt);
      expect(receipt.core.input).toEqual({ type: "words", words: [wordOf(commitment)] });
      expect(isVerified(await verify(receipt, { pins, model: "four" }))).toBe(true);
    },
  );

  it("is asked with another salt each time where none is given, and takes no other's commitment", async () => {
    const [words, salt] = [INPUT_WORDS, parseSalt(SALT)];
    const salts = new Set<unknown>();
    const told: string[] = [];
    for (const commitment of [commitInput({ mode: "salted", words, salt }), ...words]) {
      const onSalt = (drawn: string) => void told.push(drawn);
      const { answer, node } = await hidden(commitment, { inputMode: "salted", onSalt });
      await expect(answer).rejects.toMatchObject({
        ...{ code: "answer.unexpected", details: { field: "input" } },
      });
      const { salt: drawn } = node.asked[0] as { salt: string };
      expect(drawn).toMatch(/^0x[0-9a-f]{64}$/);
      salts.add(drawn);
    }
    expect(salts.size).toBe(2);
    // Also of answers that were refused: their results may settle.
    expect(told).toEqual([...salts]);
  });

  it("shows each node another commitment", async () => {
    const away = await serveInferNode({
      answer: (_, response) => response.writeHead(503).end("{}"),
    });
    nodes.push(away);
    const seen: string[] = [];
    const { answer } = await hidden(1n, {
      ...{ inputMode: "salted", nodes: [away.url, away.url.replace("127.0.0.1", "localhost")] },
      onSalt: (salt) => void seen.push(salt),
    });
    await expect(answer).rejects.toThrow();
    expect([seen.length, new Set(seen).size]).toEqual([2, 2]);
  });

  it.each<[string, Partial<InferOptions>, RegExp]>([
    ["a mode that is none", { inputMode: "packed" as never }, /^inputMode: /],
    ["a salt without its mode", { salt: SALT }, /^salt: belongs to a salted input/],
    ["a salt of another mode", { inputMode: "committed", salt: SALT }, /^salt: belongs/],
    [
      "a salt that is easily tried",
      { inputMode: "salted", salt: `0x${"01".padStart(64, "0")}` },
      /^salt: /,
    ],
    ["a salt that is no number", { inputMode: "salted", salt: "1" }, /^salt: /],
  ])("asks nobody with %s", async (_, options, message) => {
    const { answer, node } = await hidden(1n, options);
    await expect(answer).rejects.toMatchObject({
      ...{ code: "option.wrong", message: expect.stringMatching(message) },
    });
    expect(node.asked).toEqual([]);
  });

  it("asks nobody to hide what is packed", async () => {
    const { haca, node } = await setUp();
    await expect(haca.infer({ ...ASKED, inputMode: "salted" })).rejects.toMatchObject({
      ...{ code: "option.wrong", message: expect.stringMatching(/^inputMode: hides nothing/) },
    });
    expect(node.asked).toEqual([]);
  });
});

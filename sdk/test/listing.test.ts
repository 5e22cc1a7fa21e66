import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { id, keccak256 } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { modelIdOf } from "../src/chain/registeredModel.ts";
import { type ModelsArguments, showModels } from "../src/cli/modelsCommand.ts";
import { type NodesArguments, showNodes } from "../src/cli/nodesCommand.ts";
import { servedChains } from "./support/chains.ts";
import { ChatNode, PINS } from "./support/chatNode.ts";
import { type Contracts, type Endpoint, serve } from "./support/fakeChain.ts";
import {
  CS_HASH,
  INPUT_LAYOUT,
  OUTPUT_LAYOUT,
  OWNER,
  VERIFYING_KEY,
  VERSION,
  WITH_MODEL,
} from "./support/inferNode.ts";
import { type Entry, operatorOf, registryOf } from "./support/nodeRegistry.ts";

const COMMAND = fileURLToPath(new URL("../src/cli/cli.ts", import.meta.url));
type Ended = { status: number; out: string; err: string };
const haca = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...args], (error, out, err) =>
      resolve({ status: error === null ? 0 : Number(error.code), out, err }),
    );
  });

const start = servedChains();
let folder = "";
let pins = "";
let node: ChatNode;
beforeAll(async () => {
  node = await ChatNode.start();
  folder = mkdtempSync(join(tmpdir(), "haca-listing-"));
  pins = join(folder, "pins.json");
  writeFileSync(pins, JSON.stringify(PINS));
});
beforeEach(() => node.reset());
afterAll(() => {
  node.stop();
  rmSync(folder, { recursive: true });
});

/** What a command said, less what it waits for where that takes long. */
const said = (err: string): string => err.replace(/^asking .*\n/, "");
const widest = (text: string): number =>
  Math.max(...text.split("\n").map((line) => [...line].length));

describe("haca nodes", () => {
  const entries = (): Entry[] => [
    { endpoint: node.url },
    { endpoint: "https://gone.example", isActive: false },
    { endpoint: `https://[fd00::1]/${"\u202e\u001b[31m".repeat(20)}` },
    { endpoint: "http://node.example", image: `0x${"77".repeat(32)}` },
    { endpoint: "https://10.0.0.1/" },
  ];
  const nodesAt = async (options: Partial<NodesArguments> = {}) => {
    const rpc = [await start({ contracts: registryOf(entries()) })];
    return await showNodes({ rpc, pins, ...options });
  };

  it("shows active nodes and whether they would be asked, in 80 columns and nothing that a terminal obeys", async () => {
    const rpc = await start({ contracts: registryOf(entries()) });
    const { err, out, status } = await haca(
      ...["nodes", "--rpc", rpc, "--pins", pins, "--local-nodes", "--ping"],
    );
    expect([status, said(err)]).toEqual([0, ""]);
    expect(widest(out)).toBeLessThanOrEqual(80);
    expect(out).not.toMatch(/[^\n\x20-\x7e]/);
    const [first = "", , third = "", fourth = "", rest] = out.split(/^(?=node )/m);
    expect(first).toContain(`operator ${operatorOf(1)}\n    endpoint ${node.url}\n`);
    expect(first).toMatch(
      /type 0 LLM proxy\n[\s\S]*image approved; pinned\n[\s\S]*latency \d+ ms\n$/,
    );
    expect(third).toContain("image approved; not pinned\n");
    expect(third).toContain("would not be asked: of an image that is not pinned\n");
    expect(fourth).toContain("no answer (node.privateAddress)\n");
    expect([rest, fourth]).toEqual([
      undefined,
      expect.stringContaining("4 active (trusts 1 RPC, block 100)"),
    ]);
  });

  it("as JSON, of a type, without asking a node anything", async () => {
    const { isFound, text } = await nodesAt({ json: true, type: "0" });
    const found = JSON.parse(text);
    expect(isFound).toBe(true);
    expect(found).toMatchObject({ total: 5, lookedAt: 5, asOf: { type: "block", number: "100" } });
    expect(found.nodes[0]).toMatchObject({
      ...{ teeType: 0, isPinned: true, latency: null, lastHeartbeatAt: "1900000000" },
      refusal: "on this machine, by their own word",
    });
    expect(node.asked).toEqual([]);
  });

  it("says that there is none", async () => {
    const rpc = [await start({ contracts: registryOf([]) })];
    expect(await showNodes({ rpc, pins })).toEqual({
      ...{ isFound: false, text: "0 active (trusts 1 RPC, block 100)\n" },
    });
  });

  it.each<[Partial<NodesArguments>, string]>([
    [{ rpc: [] }, "--rpc: the registry has to be asked"],
    [{ type: "x" }, "--type: must be the number of a node type, got x"],
    [{ type: "300" }, "nodeType: must be a whole number, 0 to 255"],
    [{ deployment: "no/such" }, "no/such: there is no such file"],
    [{ chain: "1" }, "pins.settlements: must pin one for this chain, has none"],
  ])("refuses %j", async (options, message) => {
    await expect(nodesAt(options)).rejects.toThrow(message);
  });
});

const MANIFEST = id("a version without a circuit");
const emptyView = {
  ...{ modelId: id("model"), major: 2, minor: 0, status: 2, publishedAt: 1, deprecatedAt: 86_400 },
  ...{
    modelHash: id("manifest"),
    blobId: `0x${"00".repeat(32)}`,
    circuitHash: `0x${"00".repeat(32)}`,
  },
  ...{ csHash: "0x", transcriptHash: `0x${"00".repeat(32)}`, inputMode: 0 },
  ...{ inputWords: 0, outputWords: 0, inputLayout: [], outputLayout: [] },
};
const WITH_BOTH: Contracts = {
  ...WITH_MODEL,
  getVersion: (version: unknown) =>
    version === MANIFEST ? [emptyView] : (WITH_MODEL.getVersion?.(version) ?? []),
  listVersions: () => [[VERSION, MANIFEST]],
  modelCount: () => [7],
  listModels: () => [[id("model")]],
};

describe("haca models", () => {
  const modelsAt = async (name?: string, options: Partial<ModelsArguments> = {}) => {
    const rpc = [await start({ contracts: WITH_BOTH })];
    return await showModels(name, { rpc, pins, ...options });
  };

  it("shows a model of the registry with its versions: kinds, hashes, layouts", async () => {
    const rpc = await start({ contracts: WITH_BOTH });
    const { err, out, status } = await haca(
      ...["models", `${OWNER}/four`, "--rpc", rpc, "--pins", pins],
    );
    expect([status, said(err)]).toEqual([0, ""]);
    expect(widest(out)).toBeLessThanOrEqual(80);
    expect(out).toContain(`${OWNER}/four\n`);
    expect(out).toContain("    2.0 manifest, deprecated 1970-01-02T00:00:00Z\n");
    expect(out).toContain("    1.2 zkml, published 1970-01-01T00:00:01Z\n");
    const hashes = [VERSION, keccak256(VERIFYING_KEY), id("circuit"), id("manifest")];
    for (const hash of [...hashes, CS_HASH, id("transcript")]) {
      expect(out.replaceAll(/\s/g, "")).toContain(hash);
    }
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      "input in 1 words: 4 numbers of 8 bits with sign, times 2^-1",
    );
    expect(out).toMatch(/^1 in the registry \(trusts 1 RPC, block 100\)\n$/m);
  });

  it("shows an input under a commitment, and no transcript where none is told", async () => {
    const layouts = { inputLayout: [INPUT_LAYOUT], outputLayout: OUTPUT_LAYOUT };
    const committed = { ...emptyView, ...layouts, inputMode: 1, circuitHash: id("circuit") };
    const contracts = { ...WITH_BOTH, getVersion: () => [committed] };
    const rpc = [await start({ contracts })];
    const { text } = await showModels(VERSION, { rpc, pins });
    expect(text.replaceAll(/\s+/g, " ")).toContain("input under a commitment: 4 numbers of 8 bits");
    expect(text).not.toContain("csHash");
    const { models } = JSON.parse((await showModels(VERSION, { rpc, pins, json: true })).text);
    const untold = { csHash: null, transcriptHash: null, inputMode: "committed" };
    expect(models[0].versions[0]).toMatchObject(untold);
  });

  it("takes no csHash without a transcript", async () => {
    const contracts = { ...WITH_BOTH, getVersion: () => [{ ...emptyView, csHash: CS_HASH }] };
    const rpc = [await start({ contracts })];
    await expect(showModels(VERSION, { rpc, pins })).rejects.toMatchObject({
      code: "chain.badAnswer",
    });
  });

  it.each([VERSION, `${OWNER}/four@1.2`])("shows one version by %s", async (name) => {
    const { isFound, text } = await modelsAt(name, { json: true });
    const { isChecked, models } = JSON.parse(text);
    expect([isFound, isChecked, models.length]).toEqual([true, true, 1]);
    expect(models[0]).toMatchObject({ slug: "four", versions: [{ number: "1.2", kind: "zkml" }] });
  });

  it("shows the latest of the registry without a name, and says of how many", async () => {
    expect((await modelsAt()).text).toContain("1 of 7 in the registry");
  });

  it.each<[string, string]>([
    [`${OWNER}/four@9.9`, "the registry has no such version"],
    [
      "four",
      'must be owner/slug, a version\'s id, owner/slug@major.minor, or the name of a pinned model, got "four"',
    ],
  ])("finds no %s", async (name, message) => {
    await expect(modelsAt(name)).rejects.toThrow(message);
  });

  it("finds no model that the registry does not have", async () => {
    const { getModel: _none, ...contracts } = WITH_BOTH;
    const rpc = [await start({ contracts })];
    await expect(showModels(`${OWNER}/five`, { rpc, pins })).rejects.toMatchObject({
      ...{ code: "model.unknown", message: expect.stringContaining("/five: the registry has no") },
    });
    expect(modelIdOf({ owner: OWNER, slug: "five" })).toMatch(/^0x[0-9a-f]{64}$/);
  });

  it.each<[Partial<ModelsArguments>, string]>([
    [{ rpc: [] }, "--rpc: name an endpoint that has the registry, or an --indexer"],
    [{ limit: "0" }, "--limit: must be a whole number, 1 to 100, got 0"],
    [{ indexer: "http://indexer.example" }, "indexer.example: a node is spoken to by https"],
  ])("refuses %j", async (options, message) => {
    await expect(modelsAt("x", options)).rejects.toThrow(message);
  });

  it("ends with 2 for an option that there is not", async () => {
    const { err, out, status } = await haca("models", "--nodes");
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain("unknown option '--nodes'");
  });
});

describe("haca models --indexer", () => {
  const version = { id: VERSION, major: "1", minor: "2", status: "published", circuitHash: "0x1" };
  const model = {
    ...{ owner: OWNER, slug: "four", verifiedCount: 3, settledCount: 5, pagedCount: 1 },
    versions: { items: [version, { ...version, minor: "1", circuitHash: null }] },
  };
  const opened: Endpoint[] = [];
  const asked: { variables: unknown }[] = [];
  afterAll(() => {
    for (const { close } of opened) close();
  });
  const answering = async (answer: unknown): Promise<string> => {
    const endpoint = await serve([], async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      asked.push(JSON.parse(body));
      response.end(JSON.stringify(answer));
    });
    opened.push(endpoint);
    return endpoint.url;
  };

  it("shows what an indexer finds, marked as its word", async () => {
    const indexer = await answering({ data: { models: { items: [model] } } });
    const { isFound, text } = await showModels("fo", { indexer });
    expect([isFound, widest(text) <= 80]).toEqual([true, true]);
    expect(text).toContain(
      "    results: 3 verified of 5 settled, 1 in pages\n    1.2 zkml, published\n",
    );
    expect(text).toMatch(
      /1 found \(the word of the indexer 127[\s\S]*nothing of it\s+was checked\)\n$/,
    );
    expect(asked.at(-1)?.variables).toEqual({ where: { slug_contains_nocase: "fo" }, limit: 20 });
    const byOwner = await showModels(OWNER, { indexer, json: true, limit: "3" });
    expect(JSON.parse(byOwner.text)).toMatchObject({
      isChecked: false,
      models: [{ slug: "four" }],
    });
    expect(asked.at(-1)?.variables).toEqual({ where: { owner: OWNER }, limit: 3 });
  });

  it("finds nothing: status 1", async () => {
    const indexer = await answering({ data: { models: { items: [] } } });
    expect(await showModels("x", { indexer })).toMatchObject({ isFound: false });
  });

  it.each<[string, unknown]>([
    ["errors", { errors: [{ message: "no" }] }],
    ["another name", { data: { models: { items: [{ ...model, slug: "\u001b[31m" }] } } }],
    ["no numbers", { data: { models: { items: [{ ...model, settledCount: "5" }] } } }],
    ["more than was asked", { data: { models: { items: Array(21).fill(model) } } }],
    [
      "another state",
      {
        data: {
          models: {
            items: [{ ...model, versions: { items: [{ ...version, status: "verified" }] } }],
          },
        },
      },
    ],
  ])("believes no answer with %s", async (_name, answer) => {
    const indexer = await answering(answer);
    await expect(showModels("x", { indexer })).rejects.toMatchObject({ code: "node.malformed" });
  });
});

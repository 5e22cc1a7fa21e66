import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { HacaOptions } from "../src/client/client.ts";
import { createHaca } from "../src/client/createHaca.ts";
import { drawNumbers } from "../src/client/nodes/chance.ts";
import { NodeMemory } from "../src/client/nodes/nodeMemory.ts";
import { readDeployment } from "../src/readDeployment.ts";
import { servedChains } from "./support/chains.ts";
import { CHAIN_ID, ChatNode, type Lies, OTHERS, PINS, TEXT } from "./support/chatNode.ts";
import { type Entry, operatorOf, registryOf } from "./support/nodeRegistry.ts";

const start = servedChains();
let [node, other]: ChatNode[] = [];
const nodes = (): [ChatNode, ChatNode] => {
  if (node === undefined || other === undefined) throw new Error("not started");
  return [node, other];
};
beforeAll(async () => {
  [node, other] = await Promise.all([ChatNode.start(), ChatNode.start()]);
});
beforeEach(() => {
  for (const one of nodes()) one.reset();
});
afterAll(() => {
  for (const one of nodes()) one.stop();
});

const askedInAll = (): number => nodes().reduce((sum, { asked }) => sum + asked.length, 0);
const busy: Lies = { instead: (response) => response.writeHead(503).end("{}") };
const question = { model: "m", messages: [{ role: "user", content: "hi" }] };
const DIRECT = { chainId: CHAIN_ID, pins: PINS };

async function clientOf(entries: readonly Entry[], options: Partial<HacaOptions> = {}) {
  const time = BigInt(Math.floor(Date.now() / 1000));
  const rpc = await start({ time, contracts: registryOf(entries, options.nodeType) });
  return createHaca({ ...DIRECT, rpcs: [rpc], allowLocalNodes: true, ...options });
}

describe("nodes of the registry", () => {
  it.each([0, 3])("are asked where nobody names one: of type %d", async (nodeType) => {
    const haca = await clientOf([{ endpoint: nodes()[0].url }], { nodeType });
    expect((await haca.chat(question)).text).toBe(TEXT);
  });

  const revoked = { isActive: false };
  it.each<[string, Partial<Entry>, string, Partial<HacaOptions>?]>([
    ["of a revoked image", revoked, "1 not active"],
    ["of an image that is not pinned", { image: `0x${"77".repeat(32)}` }, "1 of an image that"],
    ["at http somewhere", { endpoint: "http://node.example" }, "1 with an endpoint that is no"],
    ["with a password", { endpoint: "https://a:b@node.example" }, "1 with an endpoint that is no"],
    ["with words for an address", { endpoint: "\u001b[31m come" }, "1 with an endpoint that is no"],
    ["without an address", { endpoint: "" }, "1 with an endpoint that is no"],
    ["on this machine", {}, "1 on this machine", { allowLocalNodes: false }],
    ["of another type", {}, "0 nodes of type 9", { nodeType: 9 }],
  ])("are not asked: %s", async (_name, entry, reason, { nodeType, ...options } = {}) => {
    const bad = { endpoint: nodes()[0].url, ...entry };
    const time = BigInt(Math.floor(Date.now() / 1000));
    const rpcs = [await start({ time, contracts: registryOf([bad]) })];
    const type = nodeType === undefined ? {} : { nodeType };
    const alone = createHaca({ ...DIRECT, rpcs, allowLocalNodes: true, ...options, ...type });
    await expect(alone.chat(question)).rejects.toMatchObject({
      ...{ code: "node.none", message: expect.stringContaining(reason) },
    });
    expect(askedInAll()).toBe(0);
  });

  it("are asked beside such ones", async () => {
    const bad: Entry[] = [
      { endpoint: nodes()[0].url, isActive: false },
      { endpoint: nodes()[0].url, image: `0x${"77".repeat(32)}` },
      { endpoint: "http://node.example" },
      { endpoint: "" },
    ];
    const haca = await clientOf([...bad, { endpoint: nodes()[1].url }, ...bad]);
    expect((await haca.chat(question)).text).toBe(TEXT);
    expect(nodes().map(({ asked }) => asked.length)).toEqual([0, 1]);
  });

  it("need no pinned image where the policy takes the registry's word", async () => {
    const { images: _images, ...pins } = PINS;
    const policy = { attestation: "registry" } as const;
    const entry = { endpoint: nodes()[0].url, image: `0x${"77".repeat(32)}` };
    const haca = await clientOf([entry], { pins, policy });
    expect((await haca.chat(question)).text).toBe(TEXT);
  });

  it("at private addresses are not connected to, and another one is asked", async () => {
    const hidden = { endpoint: "https://10.0.0.1" };
    const alone = await clientOf([hidden, hidden]);
    await expect(alone.chat(question)).rejects.toMatchObject({ code: "node.privateAddress" });
    for (const _order of "12") {
      const beside = await clientOf([hidden, { endpoint: nodes()[0].url }]);
      expect((await beside.chat(question)).text).toBe(TEXT);
    }
  });

  it.each<[string, NonNullable<Lies["instead"]>, string]>([
    [
      "lead elsewhere",
      (response) => response.writeHead(307, { location: nodes()[1].url }).end(),
      "node.redirect",
    ],
    [
      "do not end",
      (response) => {
        const more = (): void => {
          while (response.write(" ".repeat(10_000)));
        };
        response.on("drain", more);
        more();
      },
      "node.tooLong",
    ],
    [
      "hang up after the question, which they may have taken",
      (response) => response.destroy(),
      "node.brokenOff",
    ],
  ])("that %s are the end of it: nobody else hears the question", async (_name, instead, code) => {
    for (const one of nodes()) one.lies = { instead };
    const haca = await clientOf(
      nodes().map(({ url }) => ({ endpoint: url })),
      { limits: { answerBytes: 100_000 } },
    );
    await expect(haca.chat(question)).rejects.toMatchObject({ code });
    expect(askedInAll()).toBe(1);
  });

  it.each([
    [1, operatorOf(9)],
    [2, undefined],
  ])("are asked %d at most, of operators %s", async (count, operator) => {
    for (const one of nodes()) one.lies = busy;
    const entries = nodes().map(({ url }) => ({
      ...{ endpoint: url, ...(operator === undefined ? {} : { operator }) },
    }));
    const haca = await clientOf(entries);
    await expect(haca.chat(question)).rejects.toMatchObject({ code: "node.refused" });
    expect(askedInAll()).toBe(count);
  });

  it("are those that all endpoints agree on, and vouch for nothing", async () => {
    const [honest, liar] = nodes();
    liar.lies = { shows: OTHERS.image };
    const haca = await clientOf([{ endpoint: liar.url }]);
    await expect(haca.chat(question)).rejects.toMatchObject({ code: "answer.notVerified" });
    const time = BigInt(Math.floor(Date.now() / 1000));
    const rpcs = await Promise.all(
      [liar, honest].map(({ url }) => start({ time, contracts: registryOf([{ endpoint: url }]) })),
    );
    const two = createHaca({ ...DIRECT, rpcs, allowLocalNodes: true });
    await expect(two.chat(question)).rejects.toMatchObject({ code: "chain.disagreement" });
    expect(honest.asked).toEqual([]);
  });

  it("are drawn among all, each as likely", () => {
    expect([...drawNumbers(5, 8)].sort()).toEqual([0, 1, 2, 3, 4]);
    const drawn = drawNumbers(4_000_000_000, 8);
    expect([new Set(drawn).size, drawn.every((number) => number < 4e9)]).toEqual([8, true]);
    const first = new Set(Array.from({ length: 200 }, () => drawNumbers(4, 4)[0]));
    expect(first.size).toBe(4);
  });
});

describe("a node that was away", () => {
  it("is asked after the others, and one that is fast is not asked more", async () => {
    const [away, here] = nodes();
    away.lies = busy;
    const both = [away.url, here.url];
    const haca = createHaca({ ...DIRECT, nodes: both, limits: { nodes: 1 } });
    await expect(haca.chat({ ...question, nodes: [away.url] })).rejects.toThrow("503");
    for (const _time of "12345") expect((await haca.chat(question)).text).toBe(TEXT);
    expect(away.asked.length).toBe(1);
  });

  it("or slow", async () => {
    const memory = new NodeMemory();
    const [slow, fast] = [new URL("https://slow.example"), new URL("https://fast.example")];
    const ask = () => Promise.resolve(1);
    expect(await memory.timed({ node: slow, slowMs: -1, ask })).toBe(1);
    expect(await memory.timed({ node: fast, slowMs: 60_000, ask })).toBe(1);
    expect([memory.isDemoted(slow), memory.isDemoted(fast)]).toEqual([true, false]);
  });
});

const BOOK = {
  ...{ format: 1, chainId: 31_337, network: "localhost" },
  contracts: { InferenceSettlement: { address: `0x${"AB".repeat(20)}` } },
  models: [
    { slug: "four", owner: operatorOf(1), versionId: `0x${"01".repeat(32)}`, major: 1, minor: 2 },
    { slug: "four", owner: operatorOf(1), versionId: `0x${"02".repeat(32)}`, major: 1, minor: 10 },
    { slug: "two", owner: operatorOf(1), versionId: `0x${"03".repeat(32)}`, major: 1, minor: 0 },
    { slug: "two", owner: operatorOf(2), versionId: `0x${"04".repeat(32)}`, major: 1, minor: 0 },
  ],
};
const readBook = (changes: object = {}) => readDeployment(JSON.stringify({ ...BOOK, ...changes }));

describe("a deployment file", () => {
  it("has settlement, nodes, and names of models that mean one owner's", () => {
    const { models, ...rest } = readBook();
    expect(rest).toEqual({ chainId: "31337", settlement: `0x${"ab".repeat(20)}`, nodes: [] });
    expect(models).toEqual({
      four: { version: `0x${"02".repeat(32)}` },
      "four@1.2": { version: `0x${"01".repeat(32)}` },
      "four@1.10": { version: `0x${"02".repeat(32)}` },
    });
  });

  it.each<[object, string]>([
    [{ format: 2 }, "deployment.format: must be 1"],
    [{ chainId: "x" }, "deployment.chainId: must be a whole number"],
    [{ contracts: {} }, "deployment.contracts.InferenceSettlement: must be an object"],
    [{ models: [{}] }, "deployment.models[0].slug: must be a model's name"],
    [{ nodes: [{ url: "http://x" }] }, "deployment.nodes[0].url: x: a node is spoken to by https"],
    [{ nodes: [{ url: "https://x" }] }, "nodes[0].answers: must be infer or chat"],
  ])("that says %j is refused", (changes, message) => {
    expect(() => readBook(changes)).toThrow(message);
  });

  it("says where settlement and registry keep what, which goes to the pinned settlement that is its own", async () => {
    const place = { name: "_pages", type: "uint256", slot: "3", offset: "0", bytes: "32" };
    const [settlement] = [`0x${"ab".repeat(20)}`];
    const contracts = (storage: object) => ({
      contracts: {
        InferenceSettlement: { address: settlement, storage: [place] },
        TEERegistry: { address: settlement, ...storage },
      },
    });
    expect(readBook(contracts({})).storage).toBeUndefined();
    const deployment = readBook(contracts({ storage: [] }));
    const storage = { settlement: [place], teeRegistry: [] };
    expect(deployment.storage).toEqual(storage);
    const { withDeployment } = await import("../src/deployment.ts");
    const own = { chainId: "31337", settlement: settlement.toUpperCase().replace("0X", "0x") };
    const other = { chainId: "31337", settlement: `0x${"cd".repeat(20)}` };
    const pinned = { ...own, storage: { settlement: [], teeRegistry: [] } };
    const merged = (settlements?: (typeof other)[]) =>
      withDeployment(settlements === undefined ? {} : { settlements }, deployment).settlements;
    expect(merged()).toEqual([{ chainId: "31337", settlement, storage }]);
    expect(merged([own, other])).toEqual([{ ...own, storage }, other]);
    expect(merged([pinned])).toEqual([pinned]);
    const wrong = { ...place, offset: "64" };
    expect(() => readBook(contracts({ storage: [wrong] }))).toThrow(
      "deployment.contracts.TEERegistry.storage[0].offset: must be below 2^6",
    );
  });

  const listed = (changes: object = {}) => ({ answers: "chat", url: nodes()[0].url, ...changes });
  const clientBy = (list: object[], contract = PINS.settlements?.[0]?.settlement) => {
    const { settlements: _none, ...pins } = PINS;
    const contracts = { InferenceSettlement: { address: contract } };
    return createHaca({ ...DIRECT, pins, deployment: readBook({ contracts, nodes: list }) });
  };

  it("has the nodes that are asked, one of an operator, and pins its settlement", async () => {
    expect((await clientBy([listed()]).chat(question)).text).toBe(TEXT);
    const wrong = clientBy([listed()], operatorOf(5)).chat(question);
    await expect(wrong).rejects.toMatchObject({ details: { missing: ["contract"] } });
    for (const one of nodes()) [one.asked.length, one.lies] = [0, busy];
    const operator = operatorOf(1);
    const pair = [listed({ operator }), listed({ operator, url: nodes()[1].url })];
    await expect(clientBy(pair).chat(question)).rejects.toThrow("503");
    expect(askedInAll()).toBe(1);
  });

  it("has no node to ask who takes more than the caller gives, nor one that does another thing", async () => {
    const dear = clientBy([listed({ price: "1" })]).chat(question);
    await expect(dear).rejects.toThrow("maxPrice: the deployment's nodes all ask for more");
    const infer = clientBy([listed({ answers: "infer" })]).chat(question);
    await expect(infer).rejects.toThrow("nodes: no node was given");
    expect(askedInAll()).toBe(0);
  });

  it("leaves what is pinned as it is, and is of the client's chain", async () => {
    const deployment = readBook();
    const pinned = { version: `0x${"02".repeat(32)}`, verifyingKeyHash: `0x${"77".repeat(32)}` };
    const { withDeployment } = await import("../src/deployment.ts");
    const merged = withDeployment({ models: { mine: { ...pinned, inputWords: 1 } } }, deployment);
    expect(merged.models?.four).toEqual({ ...pinned, inputWords: 1 });
    expect(merged.models?.["four@1.2"]).toEqual({ version: `0x${"01".repeat(32)}` });
    expect(() => createHaca({ chainId: 1, deployment })).toThrow("deployment: is of chain 31337");
  });
});

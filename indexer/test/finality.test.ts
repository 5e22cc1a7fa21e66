import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { EndpointProxy, type Interference } from "../../worker/test/support/endpointProxy.ts";
import { deployWorld } from "./utils/deployWorld.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";
import { waitFor } from "./utils/waitFor.ts";

type Finality = { safe: string | null; finalized: string | null; reason: string | null };

const folder = temporaryFolder();
let chain: Chain;
let proxy: EndpointProxy;
let indexer: Indexer;
let head: bigint;

beforeAll(async () => {
  chain = await startChain();
  const world = await deployWorld({ chain, folder: folder.path, seed: "finality" });
  head = await chain.client.getBlockNumber();
  proxy = await EndpointProxy.start(chain.rpcUrl);
  const place = { rpcUrl: proxy.url, deployment: world.path, dataDirectory: folder.path };
  indexer = await startIndexer(place);
  await indexer.indexed(head);
});

beforeEach(() => {
  proxy.interfere = () => undefined;
});

afterAll(async () => {
  await indexer?.stop();
  proxy?.stop();
  await chain?.stop();
  folder.remove();
});

/** Answers in place of the chain to a question for a tagged block. */
const tags =
  (answer: (tag: "safe" | "finalized") => ReturnType<Interference>): Interference =>
  ({ method, params }) => {
    const tag = params?.[0];
    if (method !== "eth_getBlockByNumber" || (tag !== "safe" && tag !== "finalized")) return;
    return answer(tag);
  };
const blockAt = async (number: bigint) => ({
  result: await chain.client.request({
    method: "eth_getBlockByNumber",
    params: [`0x${number.toString(16)}`, false],
  } as never),
});

const ask = async (query = "") => {
  const response = await fetch(`${indexer.url}/finality${query}`);
  return {
    status: response.status,
    body: (await response.json()) as Finality & { label?: string },
  };
};
/** Until the indexer has asked the endpoint again. */
const until = (isSo: (finality: Finality) => boolean) =>
  waitFor({
    checkAlive: () => undefined,
    probe: async () => {
      const { body } = await ask();
      return isSo(body) ? body : undefined;
    },
  });

/** Has the endpoint say that these blocks are safe and final. */
async function makeFinal(safe: bigint, finalized: bigint): Promise<void> {
  const blocks = { safe: await blockAt(safe), finalized: await blockAt(finalized) };
  proxy.interfere = tags((tag) => blocks[tag]);
  await until((body) => body.safe === String(safe) && body.finalized === String(finalized));
}

test("a row's label follows from the blocks that the chain calls safe and final", async () => {
  await makeFinal(head - 5n, head - 10n);
  expect(await ask()).toEqual({
    status: 200,
    body: { safe: String(head - 5n), finalized: String(head - 10n), reason: null },
  });
  for (const [block, label] of [
    [head, "indexed"],
    [head - 4n, "indexed"],
    [head - 5n, "safe"],
    [head - 9n, "safe"],
    [head - 10n, "finalized"],
    [0n, "finalized"],
  ]) {
    expect((await ask(`?block=${block}`)).body).toMatchObject({ block: String(block), label });
  }
});

test("GraphQL, SQL and the list of nodes say with their rows how final blocks are", async () => {
  await makeFinal(head - 1n, head - 2n);
  const expected = { safe: String(head - 1n), finalized: String(head - 2n), reason: null };
  const query = { query: "{ settlements { items { requestId rowBlock } } }" };
  const graphql = await fetch(`${indexer.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(query),
  });
  const answer = (await graphql.json()) as {
    data: { settlements: { items: { rowBlock: string }[] } };
    extensions: { finality: Finality };
  };
  expect(answer.extensions.finality).toEqual(expected);
  expect(Number(answer.data.settlements.items[0]?.rowBlock)).toBeGreaterThan(0);
  const sql = JSON.stringify({ json: { sql: "select slug from model", params: [] } });
  const nodes = await fetch(`${indexer.url}/nodes/active?type=0&at=1750000600`);
  for (const response of [
    graphql,
    nodes,
    await fetch(`${indexer.url}/sql/db?${new URLSearchParams({ sql })}`),
  ]) {
    const header = response.headers.get("haca-finality");
    expect({ url: response.url, header }).toEqual({
      url: response.url,
      header: JSON.stringify(expected),
    });
  }
});

test("each node of the list has its label", async () => {
  const at = (await chain.client.getBlock()).timestamp;
  const labels = async () => {
    const response = await fetch(`${indexer.url}/nodes/active?type=0&at=${at}`);
    const { nodes } = (await response.json()) as {
      nodes: { rowBlock: string; finality: string }[];
    };
    return nodes.map(({ finality }) => finality);
  };
  await makeFinal(0n, 0n);
  const indexed = await labels();
  expect(indexed.length).toBeGreaterThan(0);
  expect(new Set(indexed)).toEqual(new Set(["indexed"]));
  await makeFinal(head, 0n);
  expect(new Set(await labels())).toEqual(new Set(["safe"]));
  await makeFinal(head, head);
  expect(new Set(await labels())).toEqual(new Set(["finalized"]));
});

test.each([
  [
    "an error",
    () => ({ error: { code: -32602, message: "unknown tag at http://key@node" } }),
    "the endpoint has no block safe; the endpoint has no block finalized",
  ],
  [
    "no block",
    () => ({ result: null }),
    "the endpoint has no block safe; the endpoint has no block finalized",
  ],
  [
    "a block without a number",
    () => ({ result: { number: null, hash: null } }),
    "block safe has no number; block finalized has no number",
  ],
] as const)(
  "where a tag is answered by %s, rows are indexed, and the reason is told",
  async (_, answer, reason) => {
    await makeFinal(2n, 1n);
    proxy.interfere = tags(answer);
    const body = await until(({ safe }) => safe === null);
    expect(body).toEqual({ safe: null, finalized: null, reason });
    expect((await ask("?block=0")).body.label).toBe("indexed");
  },
);

test("an endpoint with one of the tags is believed as far as it goes", async () => {
  await makeFinal(2n, 1n);
  const finalized = await blockAt(3n);
  proxy.interfere = tags((tag) => (tag === "safe" ? { result: null } : finalized));
  const body = await until((answer) => answer.safe === null && answer.finalized === "3");
  expect(body.reason).toBe("the endpoint has no block safe");
  expect((await ask("?block=3")).body.label).toBe("finalized");
  expect((await ask("?block=4")).body.label).toBe("indexed");
});

test("an endpoint that is away keeps no row from being served", async () => {
  await makeFinal(2n, 1n);
  proxy.mode = "down";
  try {
    const body = await until(({ safe }) => safe === null);
    expect(body.reason).toBe("no answer about block safe; no answer about block finalized");
    expect(await indexer.sql("select slug from model")).toEqual([{ slug: "digits" }]);
  } finally {
    proxy.mode = "up";
  }
});

test.each(["?block=-1", "?block=x", "?block=1e3", "?block=", "?number=1"])(
  "the route refuses %s",
  async (query) => {
    const { status, body } = await ask(query);
    expect(status).toBe(400);
    expect(Object.keys(body)).toEqual(["error"]);
  },
);

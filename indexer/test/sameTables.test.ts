import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { EndpointProxy, type RpcRequest } from "../../worker/test/support/endpointProxy.ts";
import { deployWorld, type World } from "./utils/deployWorld.ts";
import { expectFilled, fillTables } from "./utils/fillTables.ts";
import { databaseOf, firstValue } from "./utils/postgres.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";

/** One history with rows in every table, read in several ways: each has to find what the first one found. */

const LOG_RANGE = 40;
/** Blocks whose state a full node keeps. */
const STATE_DEPTH = 128;
/** Older than any state that a full node has. */
const AGE = 140;
const ROUTE = ["eth_call", "eth_getCode", "eth_getStorageAt"];

const folder = temporaryFolder();
let chain: Chain;
let world: World;
let head: bigint;
/** What an indexer with an embedded database reads from an endpoint without limits. */
let expected: Awaited<ReturnType<Indexer["tables"]>>;

/** The tables of a fresh indexer that has read the whole history. */
async function tablesOf(
  place: Partial<Parameters<typeof startIndexer>[0]> & { dataDirectory: string },
) {
  const indexer = await startIndexer({ rpcUrl: chain.rpcUrl, deployment: world.path, ...place });
  try {
    await indexer.indexed(head);
    return await indexer.tables();
  } finally {
    await indexer.stop();
  }
}

beforeAll(async () => {
  chain = await startChain();
  world = await deployWorld({ chain, folder: folder.path, seed: "same tables" });
  // Numbers that fill their columns, and words that fit no layout.
  await world.contracts.settle({ nonce: 2n ** 96n - 1n });
  await world.contracts.settle({ nonce: 1n, strayBit: 1n << 200n });
  await fillTables(world);
  await world.contracts.deprecate(1, 0);
  await chain.client.mine({ blocks: AGE, interval: 1 });
  head = await chain.client.getBlockNumber();
  expected = await tablesOf({ dataDirectory: `${folder.path}/archive`, isEmbedded: true });
});

afterAll(async () => {
  await chain?.stop();
  folder.remove();
});

test("the history leaves no table empty, and no constant of a contract unread", () => {
  expectFilled(expected);
  const { tee_node: nodes = [], proposal: proposals = [] } = expected;
  for (const { public_key, verifier_id } of nodes) {
    expect(public_key).not.toBe(null);
    expect(verifier_id).not.toBe(null);
  }
  for (const { quorum } of proposals) expect(quorum).not.toBe(null);
});

test("every row of every table names the block that wrote it last", () => {
  const rows = Object.entries(expected).flatMap(([name, all]) => all.map((row) => ({ name, row })));
  expect(rows.length).toBeGreaterThan(100);
  for (const { name, row } of rows) {
    const block = BigInt(row.row_block as string);
    expect(block > 0n && block <= head).toBe(true);
    // Of a row that nothing changes after its event, this is the event's block. Pages and validators change, and a page's
    // results come when a later block has the blob read.
    const changes = ["page", "validator"].includes(name) || (row.page_id ?? null) !== null;
    if (row.log_index === undefined || changes) continue;
    expect(row.block_number).toBe(row.row_block);
  }
  // A row that was changed is as final as the change.
  const isChanged = ({ row_block, block_number }: Record<string, unknown>) =>
    BigInt(String(row_block)) > BigInt(String(block_number));
  expect(expected.tee_node?.some(isChanged)).toBe(true);
});

test("PostgreSQL ends with the same rows as the embedded database, at an endpoint with a log limit and no old state", async () => {
  const proxy = await EndpointProxy.start(chain.rpcUrl);
  onTestFinished(() => proxy.stop());
  const { interfere, refused } = limits(Number(head));
  proxy.interfere = interfere;
  const dataDirectory = `${folder.path}/limited`;
  expect(await tablesOf({ rpcUrl: proxy.url, dataDirectory })).toEqual(expected);
  expect(refused.logs).toBeGreaterThan(0);
  expect(refused.state).toBe(0);
  const url = await databaseOf(dataDirectory);
  if (url === "") return;
  // That they are there, and not in the folder.
  const schema = await firstValue(
    url,
    "SELECT table_schema FROM information_schema.tables WHERE table_name = 'settlement'",
  );
  expect(await firstValue(url, `SELECT count(*) FROM "${schema}".settlement`)).toBe(
    String(expected.settlement?.length),
  );
});

/** What public endpoints do: a log range limit in words that no library knows, and no old state. */
function limits(head: number) {
  const refused = { logs: 0, state: 0 };
  const interfere = ({ method, params = [] }: Partial<RpcRequest>) => {
    if (method === "eth_getLogs") {
      const [{ fromBlock, toBlock }] = params as [{ fromBlock?: string; toBlock?: string }];
      if (fromBlock === undefined || Number(toBlock) - Number(fromBlock) < LOG_RANGE) return;
      refused.logs += 1;
      return { error: { code: -32602, message: "zu viele Blöcke auf einmal" } };
    }
    const block = params[1];
    if (!ROUTE.includes(method ?? "") || typeof block !== "string" || !block.startsWith("0x"))
      return;
    if (head - Number(block) < STATE_DEPTH) return;
    refused.state += 1;
    return {
      error: { code: -32000, message: "missing trie node 1a3b (path ) state is not available" },
    };
  };
  return { interfere, refused };
}

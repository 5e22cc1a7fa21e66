import { expect, onTestFinished, test } from "vitest";
import { EndpointProxy, type RpcRequest } from "../../worker/test/support/endpointProxy.ts";
import { deployWorld } from "./utils/deployWorld.ts";
import { expectFilled, fillTables } from "./utils/fillTables.ts";
import { startChain } from "./utils/startChain.ts";
import { startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";

const LOG_RANGE = 7;
/** Blocks whose state a full node keeps. */
const STATE_DEPTH = 128;
/** Older than any state that a full node has. */
const AGE = 200;
const ROUTE = ["eth_call", "eth_getCode", "eth_getStorageAt"];

/** What public endpoints do: a log range limit in words that no library knows, and no old state. */
function limits(parameters: { head: number; emptyState: boolean }) {
  const { head, emptyState } = parameters;
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
    // Erigon answered nothing for state that it had pruned (github.com/erigontech/erigon issue 5274).
    if (emptyState) return { result: "0x" };
    return {
      error: { code: -32000, message: "missing trie node 1a3b (path ) state is not available" },
    };
  };
  return { interfere, refused };
}

test("a fresh indexer fills every table alike at an endpoint with a log limit and no old state", async () => {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  const chain = await startChain();
  onTestFinished(async () => {
    await chain.stop();
  });
  const world = await deployWorld({ chain, folder: folder.path, seed: "endpoint" });
  await fillTables(world);
  await chain.client.mine({ blocks: AGE, interval: 1 });
  const head = await chain.client.getBlockNumber();
  const proxy = await EndpointProxy.start(chain.rpcUrl);
  onTestFinished(() => proxy.stop());
  const tablesAt = async (rpcUrl: string, name: string) => {
    const dataDirectory = `${folder.path}/${name}`;
    const indexer = await startIndexer({ rpcUrl, deployment: world.path, dataDirectory });
    try {
      await indexer.indexed(head);
      return await indexer.tables();
    } finally {
      await indexer.stop();
    }
  };
  const archive = await tablesAt(chain.rpcUrl, "archive");
  expectFilled(archive);
  expect(
    archive.tee_node?.every(
      ({ public_key, verifier_id }) => public_key !== null && verifier_id !== null,
    ),
  ).toBe(true);
  expect(archive.proposal?.every(({ quorum }) => quorum !== null)).toBe(true);

  for (const emptyState of [false, true]) {
    const { interfere, refused } = limits({ head: Number(head), emptyState });
    proxy.interfere = interfere;
    expect(await tablesAt(proxy.url, `limited-${emptyState}`)).toEqual(archive);
    expect(refused.logs).toBeGreaterThan(0);
    expect(refused.state).toBe(0);
  }
});

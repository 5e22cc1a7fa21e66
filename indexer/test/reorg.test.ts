import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Contracts, deployContracts } from "./utils/deployContracts.ts";
import { STRAY_BIT } from "./utils/events.ts";
import { type Chain, startChain } from "./utils/startChain.ts";
import { type Indexer, startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";

let chain: Chain;
let contracts: Contracts;
let folder: ReturnType<typeof temporaryFolder>;
let indexers: Indexer[];

beforeEach(async () => {
  folder = temporaryFolder();
  indexers = [];
  chain = await startChain();
  contracts = await deployContracts({ chain, path: join(folder.path, "book.json") });
  await contracts.publish(1, 0);
  await contracts.settle({ nonce: 0n });
});

afterEach(async () => {
  await Promise.all(indexers.map((indexer) => indexer.stop()));
  await chain.stop();
  folder.remove();
});

/** An indexer with the database folder `name`, caught up with the chain. */
async function catchUp(name: string): Promise<Indexer> {
  const indexer = await startIndexer({
    rpcUrl: chain.rpcUrl,
    deployment: join(folder.path, "book.json"),
    dataDirectory: join(folder.path, name),
  });
  indexers.push(indexer);
  await indexer.indexed(await chain.client.getBlockNumber());
  return indexer;
}

/** Events of every kind that will turn out never to have happened. */
async function makeDoomedHistory(): Promise<void> {
  await contracts.settle({ nonce: 1n, label: 2n });
  await contracts.settle({ nonce: 0n, node: chain.accounts[1] });
  await contracts.publish(1, 1);
  await contracts.deprecate(1, 0);
}

/** The history that replaces it, one block longer. */
async function makeReplacement(replacedHeight: bigint): Promise<void> {
  await contracts.settle({ nonce: 1n, label: 3n });
  await contracts.settle({ nonce: 2n, strayBit: STRAY_BIT });
  const height = await chain.client.getBlockNumber();
  await chain.client.mine({ blocks: Number(replacedHeight - height) + 1 });
}

async function expectReplacement(indexer: Indexer): Promise<void> {
  const rows = await indexer.sql(
    "select nonce, label, verified, settler from settlement order by nonce",
  );
  const settler = chain.accounts[0].toLowerCase();
  expect(rows).toEqual([
    { nonce: "0", label: 7, verified: true, settler },
    { nonce: "1", label: 3, verified: true, settler },
    { nonce: "2", label: null, verified: true, settler },
  ]);
  const [model] = await indexer.sql(
    "select version_count, model.settled_count, status from model join model_version on model_id = model.id",
  );
  expect(model).toEqual({ version_count: 1, settled_count: 3, status: "published" });
  expect(await indexer.tables()).toEqual(await (await catchUp("fresh")).tables());
}

test.each([
  ["whose whole history is recent", 0],
  ["whose registry is already final", 70],
])(
  "a reorg under a running indexer leaves the tables of a fresh one, on a chain %s",
  async (_, blocks) => {
    if (blocks > 0) {
      await chain.client.mine({ blocks });
    }
    const snapshot = await chain.client.snapshot();
    const indexer = await catchUp("database");
    await makeDoomedHistory();
    const height = await chain.client.getBlockNumber();
    await indexer.indexed(height);
    expect((await indexer.tables()).settlement).toHaveLength(3);

    await chain.client.revert({ id: snapshot });
    await makeReplacement(height);
    await indexer.indexed(height + 1n);
    await expectReplacement(indexer);
  },
);

test("a killed indexer continues after a reorg that it did not see", async () => {
  const snapshot = await chain.client.snapshot();
  const killed = await catchUp("database");
  await makeDoomedHistory();
  const height = await chain.client.getBlockNumber();
  await killed.indexed(height);
  await killed.stop("SIGKILL");

  await chain.client.revert({ id: snapshot });
  await makeReplacement(height);
  const indexer = await catchUp("database");
  expect(indexer.output()).toContain("Detected crash recovery");
  await expectReplacement(indexer);
});

import { expect, onTestFinished, test } from "vitest";
import { findPostgres, PostgresServer } from "../../worker/test/support/postgresServer.ts";
import { deployWorld } from "./utils/deployWorld.ts";
import { expectFilled, fillTables } from "./utils/fillTables.ts";
import { startChain } from "./utils/startChain.ts";
import { startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";

const installation = findPostgres();
if (typeof installation === "string") console.log(`tests skipped: ${installation}`);

test.skipIf(typeof installation === "string")(
  "PostgreSQL ends with the same rows as the embedded database, in every table",
  async () => {
    if (typeof installation === "string") return;
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const chain = await startChain();
    onTestFinished(async () => {
      await chain.stop();
    });
    const world = await deployWorld({ chain, folder: folder.path, seed: "postgres" });
    // Numbers that fill their columns, and words that fit no layout.
    await world.contracts.settle({ nonce: 2n ** 96n - 1n });
    await world.contracts.settle({ nonce: 1n, strayBit: 1n << 200n });
    await world.contracts.deprecate(1, 0);
    await fillTables(world);
    const head = await chain.client.getBlockNumber();

    const server = await PostgresServer.start(installation);
    onTestFinished(() => server.remove());
    const place = { rpcUrl: chain.rpcUrl, deployment: world.path, dataDirectory: folder.path };
    const tablesOf = async (parameters: Parameters<typeof startIndexer>[0]) => {
      const indexer = await startIndexer(parameters);
      try {
        await indexer.indexed(head);
        return await indexer.tables();
      } finally {
        await indexer.stop();
      }
    };
    const embedded = await tablesOf(place);
    expectFilled(embedded);
    const databaseUrl = await server.createDatabase("indexer");
    expect(await tablesOf({ ...place, databaseUrl })).toEqual(embedded);
    // That they were there, and not in the folder.
    const schema = await server.value({
      database: "indexer",
      sql: "SELECT table_schema FROM information_schema.tables WHERE table_name = 'settlement'",
    });
    const sql = `SELECT count(*) FROM "${schema}".settlement`;
    expect(await server.value({ database: "indexer", sql })).toBe("3");
  },
);

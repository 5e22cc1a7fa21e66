import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findPostgres, PostgresServer } from "../../worker/test/support/postgresServer.ts";
import { deployRelays } from "./utils/deployRelays.ts";
import {
  inferenceSettled,
  MODEL_ID,
  modelRegistered,
  versionId,
  versionPublished,
} from "./utils/events.ts";
import { startChain } from "./utils/startChain.ts";
import { startIndexer } from "./utils/startIndexer.ts";
import { temporaryFolder } from "./utils/temporaryFolder.ts";

const installation = findPostgres();
if (typeof installation === "string") console.log(`tests skipped: ${installation}`);

test.skipIf(typeof installation === "string")(
  "PostgreSQL ends with the same tables as the embedded database",
  async () => {
    if (typeof installation === "string") return;
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const chain = await startChain();
    onTestFinished(async () => {
      await chain.stop();
    });
    const deployment = join(folder.path, "book.json");
    const { emit } = await deployRelays({ chain, path: deployment });
    await emit("registry", "ModelRegistered", modelRegistered);
    await emit("registry", "VersionPublished", versionPublished(1, 0));
    for (const nonce of [0n, 1n, 2n ** 96n - 1n]) {
      await emit("settlement", "InferenceSettled", inferenceSettled({ nonce }));
    }
    await emit("registry", "VersionDeprecated", { versionId: versionId(1, 0), modelId: MODEL_ID });
    const head = await chain.client.getBlockNumber();

    const server = await PostgresServer.start(installation);
    onTestFinished(() => server.remove());
    const place = { rpcUrl: chain.rpcUrl, deployment, dataDirectory: folder.path };
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
    expect(embedded.settlement).toHaveLength(3);
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

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { openDatabase } from "../../src/storage/openDatabase.ts";
import { compileDigits } from "./digits.ts";
import { EMPTY_QUEUE, findPostgres, PostgresServer } from "./postgresServer.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** folder of an empty queue, to be copied */
    emptyQueue: string;
    /** address of a PostgreSQL server's own database; absent where none is installed */
    postgresUrl: string | undefined;
  }
}

/** What every test file would make anew otherwise, in seconds each: compiled model, empty queue, PostgreSQL. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { shard } = project.vitest.config;
  // Read by `compileDigits`, here and in the processes of the files.
  if (shard) process.env.WORKER_TESTS_PART = `-${shard.index}-of-${shard.count}`;
  await compileDigits();
  const folder = mkdtempSync(join(tmpdir(), "haca-worker-empty-"));
  const database = await openDatabase({ folder, url: undefined, onError: () => undefined });
  await database.close();
  project.provide("emptyQueue", folder);
  const installation = findPostgres();
  const server =
    typeof installation === "string" ? undefined : await PostgresServer.start(installation);
  if (server !== undefined) {
    const url = await server.createDatabase(EMPTY_QUEUE);
    await (await openDatabase({ folder, url, onError: () => undefined })).close();
  }
  if (typeof installation === "string") console.log(`tests skipped: ${installation}`);
  project.provide("postgresUrl", server?.url());
  return async () => {
    rmSync(folder, { recursive: true, force: true });
    await server?.remove();
  };
}

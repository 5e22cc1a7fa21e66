import type { TestProject } from "vitest/node";
import { findPostgres, PostgresServer } from "../../../worker/test/support/postgresServer.ts";

/** One PostgreSQL server for all files: an indexer on it takes half the processor time of one on the embedded database. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const installation = findPostgres();
  const server =
    typeof installation === "string" ? undefined : await PostgresServer.start(installation);
  project.provide("postgresUrl", server?.url());
  return async () => {
    await server?.remove();
  };
}

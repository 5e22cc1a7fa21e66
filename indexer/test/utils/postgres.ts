import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import { findPostgres } from "../../../worker/test/support/postgresServer.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** address of a PostgreSQL server's own database; absent where none is installed */
    postgresUrl: string | undefined;
  }
}

/** Databases on the suite's PostgreSQL server, by the data directory of the indexer that has one. */
const databases = new Map<string, string>();

/** Address of the database that belongs to a data directory; empty where PostgreSQL is not installed. */
export async function databaseOf(dataDirectory: string): Promise<string> {
  const url = inject("postgresUrl");
  if (url === undefined) return "";
  const known = databases.get(dataDirectory);
  if (known !== undefined) return known;
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await firstValue(url, `CREATE DATABASE ${name}`);
  const address = new URL(url);
  address.pathname = `/${name}`;
  databases.set(dataDirectory, address.href);
  return address.href;
}

/** The first value that a statement returns, as text. */
export async function firstValue(url: string, sql: string): Promise<string> {
  const installation = findPostgres();
  if (typeof installation === "string") throw new Error(installation);
  const psql = join(installation.programs, "psql");
  return (await promisify(execFile)(psql, [url, "-At", "-c", sql])).stdout.trim();
}

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { Pool } from "pg";
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

export type Row = Record<string, unknown>;

/**
 * Reads the tables of an indexer from its database. Over HTTP Ponder parses each statement first, which takes it longer
 * than everything else that most tests ask of it.
 */
export class TableReader {
  readonly #pool: Pool;
  #path: Promise<string> | undefined;
  #closed: Promise<void> | undefined;

  constructor(url: string) {
    this.#pool = new Pool({ connectionString: url, application_name: "haca-tests" });
    // A server that goes away says so to the queries.
    this.#pool.on("error", () => undefined);
  }

  async rows(statement: string): Promise<Row[]> {
    this.#path ??= this.#findSchema();
    const path = await this.#path;
    const client = await this.#pool.connect();
    try {
      await client.query(`SET search_path TO "${path}"`);
      // As they come over HTTP.
      return JSON.parse(JSON.stringify((await client.query(statement)).rows));
    } finally {
      client.release();
    }
  }

  close(): Promise<void> {
    const closed = this.#closed ?? this.#pool.end();
    this.#closed = closed;
    return closed;
  }

  async #findSchema(): Promise<string> {
    const { rows } = await this.#pool.query(
      "SELECT table_schema FROM information_schema.tables WHERE table_name = 'settlement'",
    );
    const [row, ...others] = rows;
    if (row === undefined || others.length > 0) {
      throw new Error(`${rows.length} schemas have the tables`);
    }
    return String(row.table_schema);
  }
}

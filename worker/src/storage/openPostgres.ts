import { Pool, type PoolClient, type Statement } from "pg";
import { StartError } from "../errors.ts";
import type { Database, Queryable } from "./database.ts";
import { databaseFailure } from "./databaseFailure.ts";

/** A connection that cannot be had, or a statement without an answer, for this long counts as failed. */
const CONNECTION_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 60_000;
/** A migration of a large queue may take its time. */
const MIGRATION_TIMEOUT_MS = 24 * 60 * 60 * 1000;

function queryableOf(connection: Pool | PoolClient): Queryable {
  const run = async (statement: string | Statement, values?: readonly unknown[]) => {
    try {
      return await connection.query(statement, values);
    } catch (error) {
      throw databaseFailure({ error, setting: "HACA_WORKER_DATABASE_URL" });
    }
  };
  return {
    async query(sql, values, name) {
      return (await run(name === undefined ? sql : { text: sql, name }, values)).rows;
    },
    async execute(sql) {
      await run({ text: sql, query_timeout: MIGRATION_TIMEOUT_MS });
    },
  };
}

/** Opens a PostgreSQL server. @throws StartError `database.unreachable` */
export async function openPostgres(parameters: {
  url: string;
  poolSize: number;
  /** called when a connection breaks; the pool replaces it */
  onError: (error: Error) => void;
}): Promise<Database> {
  const { onError, poolSize, url } = parameters;
  const pool = new Pool({
    connectionString: url,
    application_name: "haca-worker",
    max: poolSize,
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  });
  // Said by the connection itself, too.
  pool.on("error", () => undefined);
  // Idle or in the middle of a transaction: unheard, the error of a connection would end the process.
  pool.on("connect", (client) => client.on("error", onError));
  try {
    await pool.query("SELECT 1");
  } catch (cause) {
    await pool.end();
    throw new StartError({
      code: "database.unreachable",
      message: `HACA_WORKER_DATABASE_URL: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
  return {
    ...queryableOf(pool),
    async transaction(operation) {
      const client = await pool.connect().catch((error: unknown) => {
        throw databaseFailure({ error, setting: "HACA_WORKER_DATABASE_URL" });
      });
      const queryable = queryableOf(client);
      try {
        await queryable.query("BEGIN");
        const result = await operation(queryable);
        await queryable.query("COMMIT");
        client.release();
        return result;
      } catch (error) {
        await client.query("ROLLBACK").then(
          () => client.release(),
          (broken: Error) => client.release(broken),
        );
        throw error;
      }
    },
    close: () => pool.end(),
  };
}

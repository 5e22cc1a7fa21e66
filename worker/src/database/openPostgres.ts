import { Pool, type PoolClient } from "pg";
import { StartError } from "../errors.ts";
import type { Database, Queryable } from "./database.ts";

function queryableOf(connection: Pool | PoolClient): Queryable {
  return {
    async query(sql, values) {
      return (await connection.query(sql, values)).rows;
    },
    async execute(sql) {
      await connection.query(sql);
    },
  };
}

/** Opens a PostgreSQL server. @throws StartError `database.unreachable` */
export async function openPostgres(parameters: {
  url: string;
  /** called when an idle connection breaks; the pool replaces it */
  onError: (error: Error) => void;
}): Promise<Database> {
  const pool = new Pool({ connectionString: parameters.url, application_name: "haca-worker" });
  pool.on("error", parameters.onError);
  try {
    await pool.query("SELECT 1");
  } catch (cause) {
    await pool.end();
    throw new StartError({
      code: "database.unreachable",
      message: `HACA_DATABASE_URL: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
  return {
    ...queryableOf(pool),
    async transaction(operation) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const result = await operation(queryableOf(client));
        await client.query("COMMIT");
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

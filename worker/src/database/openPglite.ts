import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { PGlite, type Transaction } from "@electric-sql/pglite";
import { StartError } from "../errors.ts";
import type { Database, Queryable, Row } from "./database.ts";
import { DurableNodeFs } from "./durableNodeFs.ts";
import { lockFolder } from "./lockFolder.ts";
import { syncFolder } from "./syncFolder.ts";

/** PGlite's own parameters switch fsync off; the queue's promise to its clients needs it on. The last one wins. */
const START_PARAMETERS = [
  ...PGlite.defaultStartParams,
  ...["fsync=on", "synchronous_commit=on", "full_page_writes=on", "wal_sync_method=fsync"].flatMap(
    (setting) => ["-c", setting],
  ),
];

function queryableOf(connection: PGlite | Transaction): Queryable {
  return {
    async query(sql, values = []) {
      return (await connection.query<Row>(sql, [...values])).rows;
    },
    async execute(sql) {
      await connection.exec(sql);
    },
  };
}

/**
 * Opens the embedded database in `folder`, creating it where there is none.
 * One process at a time. @throws StartError `database.locked` naming the process that has it open
 */
export async function openPglite(parameters: { folder: string }): Promise<Database> {
  const { folder } = parameters;
  mkdirSync(folder, { recursive: true });
  const lock = lockFolder({ folder });
  const cluster = join(folder, "queue");
  try {
    const isNew = !existsSync(join(cluster, "PG_VERSION"));
    const pglite = new PGlite({
      fs: new DurableNodeFs(cluster),
      startParams: START_PARAMETERS,
      initDbStartParams: ["--no-sync"],
    });
    await pglite.waitReady;
    if (isNew) syncFolder(cluster);
    return {
      ...queryableOf(pglite),
      transaction: (operation) => pglite.transaction((tx) => operation(queryableOf(tx))),
      async close() {
        await pglite.close();
        lock.release();
      },
    };
  } catch (cause) {
    lock.release();
    throw new StartError({
      code: "database.unusable",
      message: `HACA_DATA_DIR: cannot open the database in ${cluster}: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}

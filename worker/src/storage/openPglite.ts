import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PGlite, Transaction } from "@electric-sql/pglite";
import { BaseError } from "@haca/protocol/baseError";
import { type FolderLock, lockFolder } from "@haca/protocol/lockFolder";
import { StartError } from "../errors.ts";
import type { Database, Queryable, Row } from "./database.ts";
import { DatabaseAwayError, databaseFailure } from "./databaseFailure.ts";
import { EmbeddedServer } from "./embeddedServer.ts";
import { syncFolder } from "./syncFolder.ts";

const SETTING = "HACA_DATA_DIR";
/** Rest after a start that failed: it costs half a second of this thread, and a full disk stays full for a while. */
const REST_MS = 5_000;

/**
 * Opens the embedded database in `folder`, creating it where there is none. Where it crashes, because the disk takes no
 * more, every statement fails with a `DatabaseAwayError` until it could be started again on what is on the disk.
 * One process at a time, in whatever container. @throws StartError `database.locked` naming the process that has it open
 */
export async function openPglite(parameters: {
  folder: string;
  restMs?: number;
}): Promise<Database> {
  const { folder, restMs = REST_MS } = parameters;
  const lock = takeFolder(folder);
  const cluster = join(folder, "queue");
  try {
    const isNew = !existsSync(join(cluster, "PG_VERSION"));
    const server = await EmbeddedServer.start({ cluster });
    if (isNew) syncFolder(cluster);
    const database = new PgliteDatabase({ cluster, restMs, server });
    return {
      query: (sql, values) =>
        database.run((connection) => queryableOf(connection).query(sql, values)),
      execute: (sql) => database.run((connection) => queryableOf(connection).execute(sql)),
      transaction: (operation) =>
        database.run((connection) => connection.transaction((tx) => operation(queryableOf(tx)))),
      async close() {
        await database.close();
        lock.release();
      },
    };
  } catch (cause) {
    lock.release();
    throw new StartError({
      code: "database.unusable",
      message: `${SETTING}: cannot open the database in ${cluster}: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}

function takeFolder(folder: string): FolderLock {
  try {
    return lockFolder({ folder, name: "worker" });
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    const isLocked = cause.code === "folder.locked";
    throw new StartError({
      code: isLocked ? "database.locked" : "database.unusable",
      message: isLocked
        ? `${SETTING}: the queue in ${folder} is ${cause.message}; stop it first, or set HACA_WORKER_DATABASE_URL to share a PostgreSQL`
        : `${SETTING}: ${cause.message}`,
      details: cause.details,
      cause,
    });
  }
}

/** Statements within a transaction get their failures translated by the transaction. */
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

/** The database of a folder, over however many starts of its server. */
class PgliteDatabase {
  readonly #cluster: string;
  readonly #restMs: number;
  #server: EmbeddedServer;
  #restart: Promise<EmbeddedServer> | undefined;
  #restUntil = 0;

  constructor(parameters: { cluster: string; restMs: number; server: EmbeddedServer }) {
    this.#cluster = parameters.cluster;
    this.#restMs = parameters.restMs;
    this.#server = parameters.server;
  }

  async run<Result>(operation: (server: EmbeddedServer) => Promise<Result>): Promise<Result> {
    const server = await this.#running();
    try {
      return await operation(server);
    } catch (error) {
      if (server.crash !== undefined) throw away(server.crash);
      throw databaseFailure({ error, setting: SETTING });
    }
  }

  async close(): Promise<void> {
    await this.#restart?.catch(() => undefined);
    if (this.#server.crash === undefined) await this.#server.close();
    else this.#server.abandon();
  }

  async #running(): Promise<EmbeddedServer> {
    if (this.#server.crash === undefined) return this.#server;
    if (performance.now() < this.#restUntil) throw away(this.#server.crash);
    this.#restart ??= this.#startAgain().finally(() => {
      this.#restart = undefined;
    });
    return await this.#restart;
  }

  async #startAgain(): Promise<EmbeddedServer> {
    this.#server.abandon();
    try {
      this.#server = await EmbeddedServer.start({ cluster: this.#cluster });
      return this.#server;
    } catch (error) {
      this.#restUntil = performance.now() + this.#restMs;
      throw away(error as Error);
    }
  }
}

function away(cause: Error): DatabaseAwayError {
  return new DatabaseAwayError({
    code: "database.away",
    message: `${SETTING}: the embedded database ended, as it does when the disk is full (${cause.message})`,
    cause,
  });
}

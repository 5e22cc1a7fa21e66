import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, inject } from "vitest";
import type { Database } from "../../src/storage/database.ts";
import { openDatabase } from "../../src/storage/openDatabase.ts";
import { endLeases } from "./manyJobs.ts";
import { EMPTY_QUEUE, findPostgres } from "./postgresServer.ts";
import { temporaryFolder, temporaryQueue } from "./temporaryFolder.ts";

/** Where a worker's queue is. */
export type QueueSettings = { HACA_DATA_DIR: string; HACA_WORKER_DATABASE_URL: string };

const isDeep = process.env.HACA_DEEP === "1";
/** Databases of this file's workers. */
const made: string[] = [];

/**
 * An empty queue that is gone when the test has ended: on PostgreSQL, where a worker starts in half the processor time; in
 * the embedded database where PostgreSQL is not installed, and in the deep run. Not for a worker that
 * is killed: on a server its successor would wait until the dead one's leases have ended (`endLeasesOf`).
 */
export const newQueue = (): QueueSettings => queueIn(temporaryFolder());

/** As `newQueue`, always in the embedded database. */
export const embeddedQueue = (): QueueSettings => ({
  HACA_DATA_DIR: temporaryQueue(),
  HACA_WORKER_DATABASE_URL: "",
});

/** For workers that are killed, by turns on both: what is on disk after a death is each one's own matter. */
export const mortalQueue = (turn: number): QueueSettings =>
  turn % 2 === 0 ? embeddedQueue() : newQueue();

/** Ends the leases of a worker that was killed, as time does, where its queue is on a server. */
export async function endLeasesOf(settings: Readonly<Record<string, string>>): Promise<void> {
  const { HACA_WORKER_DATABASE_URL: url = "" } = settings;
  if (url !== "") await endLeases(url);
}

/** As `newQueue`, for as long as a folder is there. */
export function queueIn(folder: string): QueueSettings {
  const server = inject("postgresUrl");
  if (server === undefined || isDeep) return embeddedQueueIn(folder);
  const name = `queue_${randomUUID().replaceAll("-", "")}`;
  execute(server, `CREATE DATABASE ${name} TEMPLATE ${EMPTY_QUEUE}`);
  made.push(name);
  const address = new URL(server);
  address.pathname = `/${name}`;
  return { HACA_DATA_DIR: folder, HACA_WORKER_DATABASE_URL: address.href };
}

/** As `embeddedQueue`, for as long as a folder is there. */
export function embeddedQueueIn(folder: string): QueueSettings {
  // To make one takes a worker eight seconds.
  cpSync(inject("emptyQueue"), folder, { recursive: true });
  return { HACA_DATA_DIR: folder, HACA_WORKER_DATABASE_URL: "" };
}

/** Opens the queue of a worker that has stopped. */
export async function openQueue(settings: Readonly<Record<string, string>>): Promise<Database> {
  const { HACA_DATA_DIR: folder = "", HACA_WORKER_DATABASE_URL: url } = settings;
  return await openDatabase({ folder, url: url || undefined, onError: () => undefined });
}

// The last thing in a file, when its workers have ended.
afterAll(() => {
  const server = inject("postgresUrl");
  if (server === undefined || made.length === 0) return;
  execute(server, ...made.map((name) => `DROP DATABASE ${name} WITH (FORCE)`));
});

function execute(server: string, ...statements: string[]): void {
  const installation = findPostgres();
  if (typeof installation === "string") throw new Error(installation);
  const commands = statements.flatMap((statement) => ["-c", statement]);
  execFileSync(join(installation.programs, "psql"), [server, "-q", ...commands], { stdio: "pipe" });
}

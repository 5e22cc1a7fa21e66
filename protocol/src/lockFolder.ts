import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { BaseError } from "./baseError.ts";

/** What SQLite answers where another process has the lock; further bits say how it noticed. */
const SQLITE_BUSY = 5;
const PRIMARY_CODE = 0xff;

const holderSchema = z.strictObject({
  /** name of the machine or container, and the process's number in there */
  host: z.string(),
  pid: z.int(),
  /** ISO 8601 */
  since: z.string(),
  command: z.string(),
});
/** Who has a folder. */
export type FolderHolder = z.infer<typeof holderSchema>;

export type FolderLock = { release(): void };

/** A connection that nothing refers to would be closed by the garbage collector, and its lock with it. */
const held = new Set<DatabaseSync>();

/**
 * Takes a folder for this process alone, until `release` or the end of the process, however it ends.
 *
 * The lock is one of the kernel: SQLite's on `<name>.lock`, an empty file, by fcntl. Unlike a process id it means the
 * same in every container that sees the folder, and there is nothing stale to judge after a kill or a power loss. Who
 * has it is written beside it in `<name>.holder.json`, for people only. The file must not be opened by this process in
 * any other way, for closing it would give the lock back; and it is never removed, since a lock on a removed file keeps
 * nobody out: docs/adr/017-folder-locks.md.
 * @throws BaseError `folder.locked` naming the holder (`details.holder`), `folder.unusable` where none can be had
 */
export function lockFolder(parameters: { folder: string; name: string }): FolderLock {
  const { folder, name } = parameters;
  const holderPath = join(folder, `${name}.holder.json`);
  let connection: DatabaseSync;
  try {
    mkdirSync(folder, { recursive: true });
    connection = openExclusively(join(folder, `${name}.lock`));
  } catch (cause) {
    throw isBusy(cause) ? lockedBy(readHolder(holderPath)) : unusable({ folder, cause });
  }
  held.add(connection);
  const release = () => {
    if (!held.delete(connection)) return;
    rmSync(holderPath, { force: true });
    connection.close();
  };
  try {
    writeHolder(holderPath);
  } catch (cause) {
    release();
    throw unusable({ folder, cause });
  }
  return { release };
}

/** The lock stays as long as the transaction is open; nothing is ever written in it. */
function openExclusively(path: string): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  const connection = new DatabaseSync(path);
  try {
    connection.exec("BEGIN EXCLUSIVE");
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Node 22 calls its SQLite experimental, in a warning at the first use, which is no news for whoever starts a command. */
function loadSqlite(): typeof import("node:sqlite") {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}

function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && (errcode & PRIMARY_CODE) === SQLITE_BUSY;
}

function writeHolder(path: string): void {
  const holder: FolderHolder = {
    host: hostname(),
    pid: process.pid,
    since: new Date().toISOString(),
    command: commandOf(process.argv),
  };
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, `${JSON.stringify(holder)}\n`);
  renameSync(draft, path);
}

/** The program and its plain words; a flag's value might be a secret, such as an endpoint's key. */
function commandOf(argv: readonly string[]): string {
  const [, script = "node", ...words] = argv;
  const firstFlag = words.findIndex((word) => word.startsWith("-"));
  const plain = firstFlag === -1 ? words : words.slice(0, firstFlag);
  return [script.split(/[\\/]/).slice(-3).join("/"), ...plain].join(" ");
}

function readHolder(path: string): FolderHolder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // Not written yet, or no longer there: the lock decides, this only names.
    return undefined;
  }
}

function lockedBy(holder: FolderHolder | undefined): BaseError {
  const name =
    holder === undefined
      ? "another process"
      : `process ${holder.pid} on ${holder.host} since ${holder.since} (${holder.command})`;
  return new BaseError({ code: "folder.locked", message: `open in ${name}`, details: { holder } });
}

function unusable(parameters: { folder: string; cause: unknown }): BaseError {
  const { folder, cause } = parameters;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BaseError({
    code: "folder.unusable",
    message: `${folder} cannot be locked: ${reason}`,
    cause,
  });
}

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "../errors.ts";

const LOCK_FILE = "queue.lock";

export type FolderLock = { release(): void };

/**
 * Takes the lock file of a database folder: `<pid> <start time>`.
 *
 * The lock of a process that no longer runs is taken over. The start time tells a live owner from another
 * process that was given the same pid since, as happens in containers, where the worker is always the same.
 * Holds for processes of one machine; a folder shared between machines is not supported.
 * @throws StartError `database.locked` naming the process
 */
export function lockFolder(parameters: { folder: string }): FolderLock {
  const path = join(parameters.folder, LOCK_FILE);
  const mine = `${process.pid} ${startTime(process.pid) ?? "unknown"}\n`;
  if (!tryCreate(path, mine)) {
    const found = read(path);
    const owner = Number(found?.split(" ")[0]);
    if (found !== undefined && isAlive(found)) throw locked(path, owner);
    if (!removeStale(path, found) || !tryCreate(path, mine)) throw locked(path, owner);
  }
  return {
    release() {
      if (read(path) === mine) rmSync(path, { force: true });
    },
  };
}

/** The file appears with its content: a reader never sees an empty lock. */
function tryCreate(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Moves a stale lock away. Two processes may find it stale at once: what was moved is compared with what
 * was judged, and put back if it is the other's fresh lock.
 */
function removeStale(path: string, judged: string | undefined): boolean {
  const moved = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
  const isStale = read(moved) === judged;
  if (!isStale) linkSync(moved, path);
  rmSync(moved);
  return isStale;
}

function isAlive(content: string): boolean {
  const [pid, started] = content.trim().split(" ");
  const owner = Number(pid);
  if (!Number.isInteger(owner) || owner <= 0) return false;
  try {
    process.kill(owner, 0);
  } catch (error) {
    // EPERM: the process exists and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return (startTime(owner) ?? "unknown") === started;
}

/** Start of a process in clock ticks since boot; undefined where the system has no /proc. */
function startTime(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // Field 22; the second field, the command in parentheses, may hold spaces.
  return stat
    ?.slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .at(19);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

function locked(path: string, owner: number): StartError {
  return new StartError({
    code: "database.locked",
    message: `HACA_DATA_DIR: the database is open in process ${owner} (${path}); stop it first, or set HACA_DATABASE_URL to share a PostgreSQL`,
    details: { pid: owner },
  });
}

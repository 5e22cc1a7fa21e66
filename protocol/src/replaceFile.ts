import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

/** A name beside `path` that nobody else takes: two containers on one folder can have the same process id. */
export const temporaryName = (path: string): string => `${path}.${randomUUID()}.tmp`;

/** Writes a file in one step: a reader never sees half of it, and it is on disk before anybody sees it. */
export function replaceFile(parameters: {
  path: string;
  text: string;
  /** permissions of a new file, before the umask */
  mode?: number;
}): void {
  const { path, text, mode = 0o666 } = parameters;
  const temporary = temporaryName(path);
  try {
    const file = openSync(temporary, "wx", mode);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

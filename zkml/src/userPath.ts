import { join, resolve } from "node:path";

const PROJECT_ROOT = join(import.meta.dirname, "..", "..");

/**
 * A path from the command line, as the person meant it: npm runs scripts in the project's top folder and keeps the
 * folder in which the person stands in INIT_CWD.
 */
export function userPath(path: string): string {
  const isStartedByNpm = process.cwd() === PROJECT_ROOT;
  return resolve(isStartedByNpm ? (process.env.INIT_CWD ?? PROJECT_ROOT) : process.cwd(), path);
}

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's top folder. (Ponder's module loader, which runs this too, has no import.meta.dirname.) */
export const PROJECT_ROOT: string = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/**
 * The folder in which the person stands who gave the command. npm runs scripts in the project's top folder, or in a
 * workspace's, and keeps the person's in INIT_CWD.
 */
export const USER_FOLDER: string = [".", "worker", "indexer"]
  .map((folder) => resolve(PROJECT_ROOT, folder))
  .includes(process.cwd())
  ? (process.env.INIT_CWD ?? process.cwd())
  : process.cwd();

/** A path from the command line or the environment, as the person meant it. */
export const userPath = (path: string): string => resolve(USER_FOLDER, path);

import { resolve } from "node:path";
import { PROJECT_ROOT } from "./projectRoot.ts";

/**
 * The folder in which the person stands who gave the command. npm runs scripts in the project's top folder and
 * keeps the person's in INIT_CWD.
 */
const USER_FOLDER: string =
  process.cwd() === PROJECT_ROOT ? (process.env.INIT_CWD ?? PROJECT_ROOT) : process.cwd();

/** A path from the command line, as the person meant it. */
export const userPath = (path: string): string => resolve(USER_FOLDER, path);

/** Enters the project's top folder: Hardhat finds its configuration in the working directory alone. */
export function enterProject(): void {
  process.chdir(PROJECT_ROOT);
}

import { PROJECT_ROOT } from "./projectRoot.ts";

/** Enters the project's top folder: Hardhat finds its configuration in the working directory alone. */
export function enterProject(): void {
  process.chdir(PROJECT_ROOT);
}

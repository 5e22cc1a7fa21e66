import { execFileSync } from "node:child_process";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

/** The commit that is checked out; `unknown` where the project came without its history. */
export function gitCommitOf(hre: HardhatRuntimeEnvironment): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], {
      cwd: hre.config.paths.root,
      stdio: ["ignore", "pipe", "ignore"],
    })
      .toString()
      .trim();
  } catch {
    return "unknown";
  }
}

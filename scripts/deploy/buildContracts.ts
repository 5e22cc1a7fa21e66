import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import { writeAbi } from "../lib/writeAbi.ts";

/** Compiles what has changed since the last time, and writes the ABIs for what reads them. */
export async function buildContracts(hre: HardhatRuntimeEnvironment): Promise<void> {
  await hre.tasks.getTask("build").run({ noTests: true, quiet: true });
  writeAbi();
}

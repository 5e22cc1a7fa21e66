import { execFileSync } from "node:child_process";
import type { AddressBook } from "@haca/protocol/addressBook";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import { compilerSettings } from "./compilerSettings.ts";

/** What an address book says about the deployment itself. */
export function bookHeader(parameters: {
  hre: HardhatRuntimeEnvironment;
  network: string;
  chainId: number;
}): Pick<AddressBook, "format" | "chainId" | "network" | "gitCommit" | "compiler"> {
  const { hre, network, chainId } = parameters;
  const gitCommit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: hre.config.paths.root })
    .toString()
    .trim();
  return { format: 1, chainId, network, gitCommit, compiler: compilerSettings(hre) };
}

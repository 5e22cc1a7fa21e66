import { execFileSync } from "node:child_process";
import type { AddressBook } from "@haca/protocol/addressBook";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { NetworkConnection } from "hardhat/types/network";

/** What an address book says about the deployment itself. */
export function bookHeader(parameters: {
  hre: HardhatRuntimeEnvironment;
  connection: NetworkConnection;
  chainId: number;
}): Pick<AddressBook, "format" | "chainId" | "network" | "gitCommit" | "compiler"> {
  const { hre, connection, chainId } = parameters;
  return {
    ...{ format: 1, chainId, network: connection.networkName },
    ...{ gitCommit: gitCommitOf(hre), compiler: compilerSettings(hre) },
  };
}

/** The compiler and settings that the deployed code was built with, for the address book. */
function compilerSettings(hre: HardhatRuntimeEnvironment): AddressBook["compiler"] {
  const compiler = hre.config.solidity.profiles.default?.compilers[0];
  if (compiler === undefined) throw new Error("hardhat.config.ts has no default compiler profile");
  return {
    version: compiler.version,
    evmVersion: String(compiler.settings.evmVersion ?? "default"),
    optimizerRuns: Number(compiler.settings.optimizer?.runs ?? 0),
  };
}

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

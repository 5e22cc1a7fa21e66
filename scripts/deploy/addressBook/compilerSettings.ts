import type { AddressBook } from "@haca/protocol/addressBook";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

/** The compiler and settings that the deployed code was built with, for the address book. */
export function compilerSettings(hre: HardhatRuntimeEnvironment): AddressBook["compiler"] {
  const compiler = hre.config.solidity.profiles.default?.compilers[0];
  if (compiler === undefined) throw new Error("hardhat.config.ts has no default compiler profile");
  return {
    version: compiler.version,
    evmVersion: String(compiler.settings.evmVersion ?? "default"),
    optimizerRuns: Number(compiler.settings.optimizer?.runs ?? 0),
  };
}

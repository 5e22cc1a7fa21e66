import { isDeepStrictEqual } from "node:util";
import type { SolidityConfig } from "hardhat/types/config";
import type { CompiledContract } from "./compiledContract.ts";

/** Whether a contract's compiler and its settings were those of the configuration. */
export function isCompiledWith(
  contract: Pick<CompiledContract, "sourceName" | "compilerVersion" | "buildInput">,
  { profiles }: Pick<SolidityConfig, "profiles">,
): boolean {
  const { compilers = [], overrides = {} } = profiles.default ?? {};
  const wanted = overrides[contract.sourceName.replace(/^project\//, "")] ?? compilers[0];
  return (
    wanted !== undefined &&
    contract.compilerVersion.startsWith(`${wanted.version}+`) &&
    isDeepStrictEqual(decisive(contract.buildInput.settings), decisive(wanted.settings))
  );
}

/** Settings that decide what code comes out; Hardhat adds the others for itself. */
function decisive(settings: Record<string, unknown>): Record<string, unknown> {
  const { outputSelection: _, remappings: __, ...rest } = settings;
  return rest;
}

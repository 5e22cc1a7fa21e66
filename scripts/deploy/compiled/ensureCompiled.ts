import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { BaseError } from "@haca/protocol/baseError";
import { CONTRACT_ROWS } from "@haca/protocol/contracts";
import type { SolidityConfig } from "hardhat/types/config";
import { PROJECT_ROOT } from "../../lib/projectRoot.ts";
import { type CompiledContract, compiledContract, forgetCompiled } from "./compiledContract.ts";

/**
 * Makes sure that the artifacts are what this repository's sources and the compiler's settings give: what was compiled is
 * compared with the files to the byte, and compiled anew where it differs. Error `compiled.stale`.
 */
export async function ensureCompiled(): Promise<void> {
  if ((await findStale()) === undefined) return;
  console.log("compiling the contracts (minutes)");
  const { default: hre } = await import("hardhat");
  await hre.tasks.getTask("build").run({ noTests: true, quiet: true });
  forgetCompiled();
  const stale = await findStale();
  if (stale === undefined) return;
  throw new BaseError({
    code: "compiled.stale",
    message: `${stale} is not what was compiled: run npm run build`,
  });
}

/** A source whose file differs from what was compiled, or a contract that was not compiled, or not with these settings. */
async function findStale(): Promise<string | undefined> {
  const { default: hre } = await import("hardhat");
  for (const name of [...CONTRACT_ROWS.map((row) => row.name), "FeedReader"] as const) {
    const contract = await compiledContract(name).catch((error: unknown) => {
      if (error instanceof BaseError && error.code === "compiled.missing") return undefined;
      throw error;
    });
    if (contract === undefined || !isCompiledWith(hre.config.solidity, contract)) return name;
    for (const source of contract.sourceNames) {
      const path = fileOf(source);
      const compiled = contract.buildInput.sources[source]?.content;
      if (!existsSync(path) || readFileSync(path, "utf8") !== compiled) return path;
    }
  }
  return undefined;
}

/** Whether the compiler and its settings are those of the configuration. */
function isCompiledWith({ profiles }: SolidityConfig, contract: CompiledContract): boolean {
  const { compilers = [], overrides = {} } = profiles.default ?? {};
  const wanted = overrides[contract.sourceName.replace(PROJECT, "")] ?? compilers[0];
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

/** Begins the names of this project's sources. */
const PROJECT = /^project\//;

/** `project/contracts/A.sol` and `npm/@scope/package@1.2.3/B.sol` as files. */
function fileOf(source: string): string {
  const library = /^npm\/((?:@[^/]+\/)?[^@/]+)@[^/]+\/(.*)$/.exec(source);
  return library === null
    ? join(PROJECT_ROOT, source.replace(PROJECT, ""))
    : join(PROJECT_ROOT, "node_modules", library[1] ?? "", library[2] ?? "");
}

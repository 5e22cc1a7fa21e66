import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StoragePlace } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import type { ContractName } from "@haca/protocol/contracts";
import { Interface, type InterfaceAbi } from "ethers";
import { type SyntaxFacts, syntaxFacts } from "./syntaxFacts.ts";

export type BuildInput = {
  language: string;
  sources: Record<string, { content: string }>;
  settings: Record<string, unknown> & {
    optimizer?: { enabled?: boolean; runs?: number };
    evmVersion?: string;
    viaIR?: boolean;
  };
};

/** Contracts of a deployment, those that governance has them create later, and the code behind the escrow's facilitators. */
export type CompiledName = ContractName | "FeedReader" | "JobFacilitator";

/** What this repository's sources compile to. */
export type CompiledContract = {
  name: CompiledName;
  abi: Interface;
  /** code that a creating transaction carries, before the constructor's arguments */
  creationCode: string;
  /** zeros where immutables go */
  runtimeCode: string;
  /** places of each immutable in the run-time code, by its name */
  immutables: ReadonlyMap<string, readonly { start: number; length: number }[]>;
  /** name of its source in `buildInput` */
  sourceName: string;
  /** that source and all that it imports; `buildInput` may hold others, compiled in the same run */
  sourceNames: ReadonlySet<string>;
  /** such as 0.8.37+commit.f401782d */
  compilerVersion: string;
  buildInput: BuildInput;
  /** where it keeps what, if witnesses show it */
  storage: readonly StoragePlace[] | undefined;
};

type Build = SyntaxFacts & { input: BuildInput; compilerVersion: string };

const contracts = new Map<CompiledName, Promise<CompiledContract>>();
const builds = new Map<string, Build>();

/** A contract from Hardhat's artifacts. Error `compiled.missing`. */
export function compiledContract(name: CompiledName): Promise<CompiledContract> {
  const known = contracts.get(name);
  if (known !== undefined) return known;
  const read = readContract(name);
  contracts.set(name, read);
  return read;
}

/** To be called after a compilation. */
export function forgetCompiled(): void {
  contracts.clear();
  builds.clear();
}

async function readContract(name: CompiledName): Promise<CompiledContract> {
  const { default: hre } = await import("hardhat");
  const { artifacts } = hre;
  const artifact = await artifacts.readArtifact(name).catch((cause: unknown) => {
    throw new BaseError({ code: "compiled.missing", message: `${name} is not compiled`, cause });
  });
  const buildId = await artifacts.getBuildInfoId(name);
  const input = buildId && (await artifacts.getBuildInfoPath(buildId));
  const output = buildId && (await artifacts.getBuildInfoOutputPath(buildId));
  if (!buildId || !input || !output) {
    throw new BaseError({ code: "compiled.missing", message: `no build information of ${name}` });
  }
  const keptPath = join(hre.config.paths.cache, "syntax", `${buildId}.json`);
  const build = builds.get(buildId) ?? {
    ...readInput(input),
    ...syntaxFacts({ outputPath: output, keptPath }),
  };
  builds.set(buildId, build);
  const references = artifact.immutableReferences ?? {};
  const sourceName = artifact.inputSourceName ?? artifact.sourceName;
  return {
    name,
    abi: new Interface(artifact.abi as unknown as InterfaceAbi),
    creationCode: artifact.bytecode,
    runtimeCode: artifact.deployedBytecode,
    immutables: new Map(
      Object.entries(references).map(([id, places]) => [
        build.immutableNames.get(Number(id)) ?? `number ${id}`,
        places,
      ]),
    ),
    sourceName,
    sourceNames: withImports(sourceName, build.imports),
    compilerVersion: build.compilerVersion,
    buildInput: build.input,
    storage: build.storage.get(name),
  };
}

function readInput(path: string): { input: BuildInput; compilerVersion: string } {
  const { input, solcLongVersion } = JSON.parse(readFileSync(path, "utf8")) as {
    input: BuildInput;
    solcLongVersion: string;
  };
  return { input, compilerVersion: solcLongVersion };
}

function withImports(source: string, imports: Build["imports"]): Set<string> {
  const found = new Set([source]);
  for (const name of found) for (const imported of imports.get(name) ?? []) found.add(imported);
  return found;
}

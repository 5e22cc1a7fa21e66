import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { readClosure } from "./readClosure.ts";
import type { Profile } from "./readProfile.ts";
import { run } from "./run.ts";

/**
 * Path of the compiler of one exact version, which npm fetches unless it is there: the registry's package `solc` runs
 * wherever Node does. None of its install scripts is run.
 * @throws BaseError `x402.noCompiler`
 */
export async function fetchCompiler(parameters: {
  version: string;
  folder: string;
}): Promise<string> {
  const { version } = parameters;
  const folder = join(parameters.folder, version);
  const home = join(folder, "node_modules", "solc");
  if (versionAt(home) !== version) {
    writeOwn(folder, version);
    const words = ["install", "--prefix", folder, "--ignore-scripts", "--workspaces=false"];
    await run("npm", [...words, "--no-audit", "--no-fund", "--loglevel=error"]);
    if (versionAt(home) !== version) {
      const message = `${home}: npm left no compiler ${version} there`;
      throw new BaseError({ code: "x402.noCompiler", message });
    }
  }
  return join(home, "solc.js");
}

/** A package of its own, so that npm changes nothing of the project's. */
function writeOwn(folder: string, version: string): void {
  const own = { name: "haca-compiler", private: true, dependencies: { solc: version } };
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(own, null, 2)}\n`);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `--compilers ${folder}: cannot be written: ${code}`;
    throw new BaseError({ code: "x402.noCompiler", message, cause });
  }
}

function versionAt(home: string): unknown {
  const path = join(home, "package.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).version : undefined;
}

/**
 * Creation code of the contract that a source of a Foundry project is named after. The compiler is given all sources and reads
 * none itself: code by its intermediate language depends on their order, and Foundry gives them so.
 * @throws BaseError `x402.notCompiled`, `x402.noSource`
 */
export async function compile(parameters: {
  project: string;
  source: string;
  compiler: string;
  settings: Profile["settings"];
}): Promise<string> {
  const { project, source, compiler, settings } = parameters;
  const name = source.slice(source.lastIndexOf("/") + 1, -".sol".length);
  const { remappings } = settings;
  const sources = readClosure({ project, source, remappings });
  const outputSelection = { [source]: { [name]: ["evm.bytecode.object"] } };
  const input = { language: "Solidity", sources, settings: { ...settings, outputSelection } };
  const words = [compiler, "--standard-json"];
  const said = await run(process.execPath, words, JSON.stringify(input));
  // The compiler's own remarks stand before it.
  const json = said.split("\n").find((line) => line.startsWith("{"));
  const answer: CompilerAnswer = JSON.parse(json ?? "{}");
  const error = answer.errors?.find(({ severity }) => severity === "error");
  const code = answer.contracts?.[source]?.[name]?.evm.bytecode.object;
  if (error === undefined && code !== undefined && /^[0-9a-f]+$/.test(code)) return `0x${code}`;
  const why = error?.formattedMessage.trim().split("\n")[0] ?? `it has no contract ${name}`;
  const message = `${join(project, source)}: ${why}`;
  throw new BaseError({ code: "x402.notCompiled", message });
}

type CompilerAnswer = {
  errors?: { severity: string; formattedMessage: string }[];
  contracts?: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>;
};

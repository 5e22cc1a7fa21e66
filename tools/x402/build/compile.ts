import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { BaseError } from "@haca/protocol/baseError";
import { type Profile, readSource } from "./readProfile.ts";

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
 * Creation code of the contract that a source of a Foundry project is named after. Imports are read below the project,
 * nowhere else.
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
  const outputSelection = { [source]: { [name]: ["evm.bytecode.object"] } };
  const input = {
    language: "Solidity",
    sources: { [source]: { content: readSource(join(project, source)) } },
    settings: { ...settings, outputSelection },
  };
  const words = [compiler, "--standard-json", "--base-path", project];
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

/** What a program writes until it ends. @throws BaseError `x402.failed`, with the line that says most of its failure */
async function run(program: string, words: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, words, { stdio: "pipe" });
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once("close", (status, signal) => resolve(status ?? signal ?? "killed"));
  });
  // One that ends before it has read everything says why itself.
  child.stdin.on("error", () => undefined).end(input);
  const [output, complaint, status] = await Promise.all([
    text(child.stdout).catch(() => ""),
    text(child.stderr).catch(() => ""),
    ended,
  ]);
  if (status === 0) return output;
  const lines = complaint.split("\n").filter((line) => line.trim() !== "");
  const why = lines.find((line) => !line.startsWith("npm error code")) ?? `it ended with ${status}`;
  const message = `${program} ${words.slice(0, 3).join(" ")}: ${why}`;
  throw new BaseError({ code: "x402.failed", message });
}

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { CONTRACT_ROWS } from "@haca/protocol/contracts";
import { PROJECT_ROOT } from "../../lib/projectRoot.ts";
import { compiledContract, forgetCompiled } from "./compiledContract.ts";
import { isCompiledWith } from "./isCompiledWith.ts";

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
  const witnessed = CONTRACT_ROWS.filter(({ isWitnessed }) => isWitnessed).map(({ name }) => name);
  for (const name of [...CONTRACT_ROWS.map((row) => row.name), "FeedReader"] as const) {
    const contract = await compiledContract(name).catch((error: unknown) => {
      if (error instanceof BaseError && error.code === "compiled.missing") return undefined;
      throw error;
    });
    if (contract === undefined || !isCompiledWith(contract, hre.config.solidity)) return name;
    if (contract.storage === undefined && witnessed.some((one) => one === name)) return name;
    for (const source of contract.sourceNames) {
      const path = fileOf(source);
      const compiled = contract.buildInput.sources[source]?.content;
      if (!existsSync(path) || readFileSync(path, "utf8") !== compiled) return path;
    }
  }
  return undefined;
}

/** `project/contracts/A.sol` and `npm/@scope/package@1.2.3/B.sol` as files. */
function fileOf(source: string): string {
  const library = /^npm\/((?:@[^/]+\/)?[^@/]+)@[^/]+\/(.*)$/.exec(source);
  return library === null
    ? join(PROJECT_ROOT, source.replace(/^project\//, ""))
    : join(PROJECT_ROOT, "node_modules", library[1] ?? "", library[2] ?? "");
}

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { AbiCoder, concat } from "ethers";
import { type Report, Steps } from "../../../scripts/lib/progress.ts";
import { compile, fetchCompiler } from "./compile.ts";
import { extract, type Tree } from "./extract.ts";
import { GENUINE, type Genuine, TREE } from "./genuine.ts";
import { readProfile, readSource } from "./readProfile.ts";
import { type Created, checkAddress, runtimeCodes } from "./runtimeCodes.ts";

/**
 * Compiles the genuine codes as the checkout's projects say, checks them against the published addresses, and writes
 * the file that `HACA_UPTO_CODES` names. What cannot be had whole is not written.
 * @throws BaseError `x402.noSource`, `x402.badProfile`, `x402.noCompiler`, `x402.failed`, `x402.notCompiled`,
 * `x402.badInitCode`, `x402.otherCode`, `x402.notWritten`
 */
export async function buildCodes(options: {
  sources: string;
  out: string;
  compilers: string;
  contracts?: readonly Genuine[];
  tree?: Tree;
}): Promise<void> {
  const { contracts = GENUINE, tree = TREE } = options;
  const repository = resolve(options.sources);
  const temporary = mkdtempSync(join(tmpdir(), "haca-x402-"));
  const steps = new Steps({ total: contracts.length + 2 });
  try {
    await steps.run("sources", async () => {
      for (const commit of new Set(contracts.map((contract) => contract.commit))) {
        await extract({ repository, commit, tree, folder: join(temporary, commit) });
      }
    });
    const created: Created[] = [];
    for (const contract of contracts) {
      const sources = join(temporary, contract.commit, contract.project);
      const initCode = await steps.run(contract.name, (report) =>
        initCodeOf({ contract, sources, compilers: resolve(options.compilers), report }),
      );
      checkAddress({ contract, initCode });
      created.push({ contract, initCode });
    }
    const title = "creating them on a chain in memory";
    const codes = await steps.run(title, () => runtimeCodes(created));
    const out = resolve(options.out);
    write(out, `${JSON.stringify(codes, null, 2)}\n`);
    for (const { name, address } of contracts) console.log(`genuine  ${address}  ${name}`);
    console.log(`written: HACA_UPTO_CODES=${out}`);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function initCodeOf(parameters: {
  contract: Genuine;
  /** the project's folder */
  sources: string;
  compilers: string;
  report: Report;
}): Promise<string> {
  const { compilers, contract, report, sources } = parameters;
  const { from } = contract;
  if ("source" in from) {
    const { compiler: version, settings } = readProfile(sources);
    report(`compiler ${version}`);
    const compiler = await fetchCompiler({ version, folder: compilers });
    const code = await compile({ project: sources, source: from.source, compiler, settings });
    const types = from.arguments.map(() => "address");
    return concat([code, AbiCoder.defaultAbiCoder().encode(types, [...from.arguments])]);
  }
  const code = readSource(join(sources, from.initCode)).trim();
  if (/^0x([0-9a-f]{2})+$/i.test(code)) return code;
  const message = `${contract.name}: ${from.initCode} is not the hex of an init code`;
  throw new BaseError({ code: "x402.badInitCode", message });
}

/** There whole, or as it was. */
function write(path: string, content: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.part`, content);
    renameSync(`${path}.part`, path);
  } catch (cause) {
    const message = `--out ${path}: cannot be written: ${(cause as NodeJS.ErrnoException).code}`;
    throw new BaseError({ code: "x402.notWritten", message, cause });
  }
}

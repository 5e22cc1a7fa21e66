import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { AbiCoder, concat } from "ethers";
import { Steps } from "../../../scripts/lib/progress.ts";
import { compile, fetchCompiler } from "./compile.ts";
import { GENUINE, type Genuine } from "./genuine.ts";
import { type Profile, readProfile, readSource } from "./readProfile.ts";
import { type Created, runtimeCodes } from "./runtimeCodes.ts";

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
}): Promise<void> {
  const { contracts = GENUINE } = options;
  const sources = resolve(options.sources);
  const projects = [...new Set(contracts.map(({ project }) => project))];
  const profiles = new Map(projects.map((name) => [name, readProfile(join(sources, name))]));
  const steps = new Steps({ total: profiles.size + contracts.length + 1 });
  const compilers = new Map<string, string>();
  for (const [name, { compiler: version }] of profiles) {
    const title = `compiler ${version} of ${name}`;
    const folder = resolve(options.compilers);
    compilers.set(name, await steps.run(title, () => fetchCompiler({ version, folder })));
  }
  const created: Created[] = [];
  for (const contract of contracts) {
    const { settings } = profiles.get(contract.project) as Profile;
    const compiler = compilers.get(contract.project) as string;
    const initCode = await steps.run(contract.name, () =>
      initCodeOf({ contract, sources, compiler, settings }),
    );
    created.push({ contract, initCode });
  }
  const codes = await steps.run("creating them on a chain in memory", () => runtimeCodes(created));
  const out = resolve(options.out);
  write(out, `${JSON.stringify(codes, null, 2)}\n`);
  for (const { name, address } of contracts) console.log(`genuine  ${address}  ${name}`);
  console.log(`written: HACA_UPTO_CODES=${out}`);
}

async function initCodeOf(parameters: {
  contract: Genuine;
  sources: string;
  compiler: string;
  settings: Profile["settings"];
}): Promise<string> {
  const { contract, sources, ...rest } = parameters;
  const { from } = contract;
  const project = join(sources, contract.project);
  if ("source" in from) {
    const code = await compile({ project, source: from.source, ...rest });
    const types = from.arguments.map(() => "address");
    return concat([code, AbiCoder.defaultAbiCoder().encode(types, [...from.arguments])]);
  }
  const path = join(project, from.initCode);
  const code = readSource(path).trim();
  if (/^0x([0-9a-f]{2})+$/i.test(code)) return code;
  const message = `${path}: not the hex of an init code`;
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

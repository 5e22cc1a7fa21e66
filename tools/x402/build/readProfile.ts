import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";

/** What a Foundry project is compiled with. */
export type Profile = {
  /** exact, such as `0.8.17` */
  compiler: string;
  settings: Readonly<Record<string, unknown>> & { remappings: readonly string[] };
};

type Value = string | number | boolean;

const refusal = (path: string, why: string): BaseError =>
  new BaseError({ code: "x402.badProfile", message: `${path}: ${why}` });

/**
 * Compiler and settings of a Foundry project's default profile: of `foundry.toml`, with the paths of `remappings.txt`.
 * What the profile does not say is the compiler's own default, as it was Foundry's.
 * @throws BaseError `x402.badProfile`, `x402.noSource`
 */
export function readProfile(project: string): Profile {
  const path = join(project, "foundry.toml");
  const values = valuesOf(readSource(path), path);
  function read<T extends "string" | "number" | "boolean">(key: string, type: T) {
    const value = values.get(key);
    if (value === undefined || typeof value === type) return value as TypeOf[T] | undefined;
    throw refusal(path, `${key} must be a ${type}, got ${JSON.stringify(value)}`);
  }
  function need<T extends "string" | "number" | "boolean">(key: string, type: T): TypeOf[T] {
    const value = read(key, type);
    if (value === undefined) throw refusal(path, `[profile.default] has no ${key}`);
    return value;
  }
  const compiler = need("solc", "string");
  // It names a package that is fetched and run.
  if (!/^\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(compiler)) {
    throw refusal(path, `solc must be an exact version, got ${JSON.stringify(compiler)}`);
  }
  const evmVersion = read("evm_version", "string");
  const hasNoMetadata = read("cbor_metadata", "boolean") === false;
  return {
    compiler,
    settings: {
      ...(evmVersion !== undefined && { evmVersion }),
      optimizer: { enabled: need("optimizer", "boolean"), runs: need("optimizer_runs", "number") },
      viaIR: read("via_ir", "boolean") ?? false,
      metadata: {
        bytecodeHash: read("bytecode_hash", "string") ?? "ipfs",
        // A compiler older than the setting refuses it.
        ...(hasNoMetadata && { appendCBOR: false }),
      },
      remappings: remappingsOf(project),
    },
  };
}

type TypeOf = { string: string; number: number; boolean: boolean };

/** Of one section of TOML what a setting of the compiler can be: texts, whole numbers, and true or false. */
function valuesOf(text: string, path: string): Map<string, Value> {
  const values = new Map<string, Value>();
  let isWanted = false;
  for (const line of text.split(/\r?\n/)) {
    const section = /^\s*\[([^\]]*)\]\s*(#.*)?$/.exec(line);
    if (section !== null) isWanted = section[1]?.trim() === "profile.default";
    const entry = /^\s*(\w+)\s*=\s*("([^"\\]*)"|[\d_]+|true|false)\s*(#.*)?$/.exec(line);
    if (!isWanted || entry === null) continue;
    const [, key = "", written = "", words] = entry;
    if (values.has(key)) throw refusal(path, `${key} stands twice`);
    const other = /^\d/.test(written) ? Number(written.replaceAll("_", "")) : written === "true";
    values.set(key, words ?? other);
  }
  return values;
}

function remappingsOf(project: string): string[] {
  const path = join(project, "remappings.txt");
  const lines = readSource(path).split(/\r?\n/);
  return lines.flatMap((line) => {
    if (line.trim() === "") return [];
    const [, prefix, target] = /^([^:=\s]+)=([^:=\s]+)$/.exec(line.trim()) ?? [];
    if (prefix === undefined || target === undefined) {
      throw refusal(path, `not a remapping: ${JSON.stringify(line)}`);
    }
    // As Foundry reads them: a folder is one with and without its slash.
    return [`${prefix}=${prefix.endsWith("/") ? target.replace(/\/*$/, "/") : target}`];
  });
}

/** Text of a file of the checkout. @throws BaseError `x402.noSource` */
export function readSource(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `--sources: ${path} cannot be read: ${code}`;
    throw new BaseError({ code: "x402.noSource", message, cause });
  }
}

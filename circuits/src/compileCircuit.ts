import fs from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { bindings, CircomRunner } from "circom2";

export type CompiledCircuit = {
  /** paths of what the compiler wrote */
  r1cs: string;
  symbols: string;
  /** what the compiler printed */
  log: string;
};

/**
 * Compiles a circom file with circom 2.2 (WebAssembly, in this process).
 *
 * Throws `circuit.compileFailed` with the compiler's message.
 */
export async function compileCircuit(parameters: {
  /** path of a `.circom` file */
  source: string;
  /** existing folder to write to */
  outFolder: string;
  /** how much circom simplifies: 1 keeps every linear constraint of several signals; default: 2 */
  simplification?: 1 | 2;
}): Promise<CompiledCircuit> {
  const { source, outFolder } = parameters;
  const name = basename(source, ".circom");
  const printed: string[] = [];
  const runner = new CircomRunner({
    args: [
      `source/${basename(source)}`,
      "--r1cs",
      "--sym",
      `--O${parameters.simplification ?? 2}`,
      "-o",
      "out",
    ],
    env: {},
    preopens: { source: dirname(source), out: outFolder },
    bindings: { ...bindings, fs: captureOutput(printed) },
  });
  const compiler = fs.readFileSync(createRequire(import.meta.url).resolve("circom2/circom.wasm"));
  let failure: unknown;
  try {
    await runner.execute(compiler);
  } catch (cause) {
    failure = cause;
  }
  const log = stripColours(printed.join(""));
  const compiled = {
    r1cs: join(outFolder, `${name}.r1cs`),
    symbols: join(outFolder, `${name}.sym`),
    log,
  };
  if (failure !== undefined || !fs.existsSync(compiled.r1cs)) {
    throw new BaseError({
      code: "circuit.compileFailed",
      message: `${source}: ${log.trim() || String(failure)}`,
      cause: failure,
    });
  }
  return compiled;
}

/** The file system with standard output and standard error kept in `printed`. */
function captureOutput(printed: string[]): typeof fs {
  const writeSync = (
    descriptor: number,
    data: Uint8Array,
    offset = 0,
    length = data.length - offset,
    position: number | null = null,
  ): number => {
    if (descriptor !== 1 && descriptor !== 2) {
      return fs.writeSync(descriptor, data, offset, length, position);
    }
    printed.push(Buffer.from(data.subarray(offset, offset + length)).toString("utf8"));
    return length;
  };
  return { ...fs, writeSync: writeSync as typeof fs.writeSync };
}

function stripColours(text: string): string {
  const escapeCharacter = String.fromCharCode(27);
  return text.replaceAll(new RegExp(`${escapeCharacter}\\[[0-9;]*m`, "g"), "");
}

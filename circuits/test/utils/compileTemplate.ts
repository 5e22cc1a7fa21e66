import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileCircuit } from "../../src/compileCircuit.ts";
import { type ConstraintChecker, createConstraintChecker } from "../../src/constraintChecker.ts";
import { type R1cs, readR1cs, readSymbols } from "../../src/readR1cs.ts";
import { createWitnessCalculator, type WitnessCalculator } from "../../src/witnessCalculator.ts";

export type TestCircuit = {
  calculator: WitnessCalculator;
  r1cs: R1cs;
  checker: ConstraintChecker;
  /** signal name -> wire, -1 where the compiler folded it away */
  symbols: Map<string, number>;
};

/**
 * Compiles a circuit whose main component is one template. Its inputs are public: --O2 then keeps their wires, and
 * a changed input is as wrong as any other changed wire.
 */
export async function compileTemplate(parameters: {
  /** file name without `.circom` */
  file: string;
  /** `Template(arguments)` */
  main: string;
  /** its input signal; default `in` */
  input?: string;
}): Promise<TestCircuit> {
  const { file, main, input = "in" } = parameters;
  return compileSource(`pragma circom 2.2.0;
    include "${file}.circom";
    component main {public [${input}]} = ${main};`);
}

/** Compiles a circuit given as text. */
export async function compileSource(source: string): Promise<TestCircuit> {
  const folder = mkdtempSync(join(tmpdir(), "haca-circuit-"));
  try {
    const path = join(folder, "main.circom");
    writeFileSync(path, source);
    const compiled = await compileCircuit({ source: path, outFolder: folder });
    const r1cs = readR1cs(readFileSync(compiled.r1cs));
    return {
      calculator: await createWitnessCalculator(readFileSync(compiled.wasm)),
      r1cs,
      checker: createConstraintChecker(r1cs),
      symbols: readSymbols(readFileSync(compiled.symbols, "utf8")),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { compileCircuit } from "@haca/circuits/compileCircuit";
import { countNonZeros, readR1csHeader } from "@haca/circuits/readR1cs";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import { circuitOf } from "../kinds/kinds.ts";
import { emitCircuit } from "./emitCircuit.ts";

/** What a circuit is made of. */
export type CircuitSize = {
  activations: number;
  constraints: number;
  nonZeros: number;
  publicSignals: number;
};

/**
 * Writes a model's circuit as circom text and compiles it: constraints, witness program, names of signals. Other files
 * of the compiler stay in `workFolder`. Throws `circuit.compileFailed`.
 */
export async function constrainModel(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
  /** paths to write */
  files: { circuit: string; r1cs: string; wasm: string; symbols: string };
  workFolder: string;
}): Promise<CircuitSize> {
  const { integerModel, bounds, files, workFolder } = parameters;
  writeFileSync(files.circuit, emitCircuit({ integerModel, bounds }).source);
  const compiled = await compileCircuit({ source: files.circuit, outFolder: workFolder });
  renameSync(compiled.r1cs, files.r1cs);
  renameSync(compiled.wasm, files.wasm);
  renameSync(compiled.symbols, files.symbols);
  const r1cs = readFileSync(files.r1cs);
  const { constraintCount, publicInputCount } = readR1csHeader(r1cs);
  return {
    activations: countActivations({ integerModel, bounds }),
    constraints: constraintCount,
    nonZeros: countNonZeros(r1cs),
    publicSignals: publicInputCount,
  };
}

/** Elements that an activation function computes: what most constraints are for. */
function countActivations(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
}): number {
  let count = 0;
  for (const node of parameters.integerModel.nodes) {
    const isActivation = circuitOf(node).role === "activations";
    count += isActivation ? (parameters.bounds.get(node.output)?.length ?? 0) : 0;
  }
  return count;
}

import { writeFileSync } from "node:fs";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import { encodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import type { InputMode } from "@haca/protocol/inputMode";
import { writeR1cs, writeSymbols } from "../circuit/writeR1cs.ts";
import { circuitOf } from "../kinds/kinds.ts";
import { certifyCircuit } from "./certifyCircuit.ts";
import { layOutCircuit } from "./layOutCircuit.ts";

/** What a circuit is made of. */
export type CircuitSize = {
  activations: number;
  constraints: number;
  nonZeros: number;
  publicSignals: number;
};

/**
 * Writes a model's circuit: its rows, how its witness is computed, the names of its wires. Nothing is written of a circuit
 * that does not get both certificates. Throws `certificate.*`.
 */
export function constrainModel(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
  inputMode?: InputMode | undefined;
  /** paths to write */
  files: { r1cs: string; plan: string; symbols: string };
}): CircuitSize {
  const { files } = parameters;
  const circuit = layOutCircuit(parameters);
  certifyCircuit(circuit);
  writeR1cs({ ...circuit, path: files.r1cs });
  writeSymbols(files.symbols, circuit.blocks);
  writeFileSync(files.plan, encodeWitnessPlan(circuit.plan));
  return {
    activations: countActivations(parameters),
    constraints: circuit.rows.count,
    nonZeros: circuit.rows.nonZeros,
    publicSignals: circuit.publicCount,
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

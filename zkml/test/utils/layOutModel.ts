import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConstraintChecker, createConstraintChecker } from "@haca/circuits/constraintChecker";
import { type R1cs, readR1cs } from "@haca/circuits/readR1cs";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeBounds, describeTensors } from "@haca/model-runtime/tensors";
import { computeWitness, type Witness } from "@haca/model-runtime/witness/computeWitness";
import type { Manifest } from "@haca/protocol/manifest";
import type { Rows } from "../../src/circuit/rows.ts";
import { writeR1cs } from "../../src/circuit/writeR1cs.ts";
import { type CircuitLayout, layOutCircuit } from "../../src/constrain/layOutCircuit.ts";
import { buildGraph } from "../../src/kinds/buildGraph.ts";
import type { Graph } from "../../src/kinds/graph.ts";
import { parseOnnx } from "../../src/onnx/parseOnnx.ts";
import { DEFAULT_QUANTISE_OPTIONS } from "../../src/quantise/options.ts";
import { quantiseModel } from "../../src/quantise/quantiseModel.ts";
import type { TestModel } from "./models.ts";

/** The context that tests put into the public signals. */
export const CONTEXT = (1n << 248n) - 12345n;

/** The salt of inputs that have one. */
export const SALT = (1n << 247n) + 6789n;

/** A model's circuit as it is written, read back. */
export type LaidOutModel = {
  graph: Graph;
  integerModel: IntegerModel;
  bounds: Map<string, Range[]>;
  tensors: Pick<Manifest, "input" | "outputs" | "inputMode">;
  circuit: CircuitLayout;
  r1cs: R1cs;
  checker: ConstraintChecker;
  /** the signals of an input, with the outputs of the integer reference */
  signalsOf: (input: readonly bigint[]) => Record<string, string | string[]>;
  witnessOf: (input: readonly bigint[]) => bigint[];
};

export function layOutModel(model: Omit<TestModel, "title">): LaidOutModel {
  const graph = buildGraph(parseOnnx(model.onnx));
  const options = { ...DEFAULT_QUANTISE_OPTIONS, ...model.options };
  const integerModel = quantiseModel({ graph, calibration: model.calibration, options });
  const bounds = computeBounds(integerModel);
  const { inputMode = "packed" } = model;
  const tensors: LaidOutModel["tensors"] = {
    ...describeTensors({ integerModel, bounds }),
    ...(inputMode === "packed" ? {} : { inputMode }),
  };
  const circuit = layOutCircuit({ integerModel, bounds, inputMode });
  const r1cs = readR1cs(r1csBytes(circuit));
  const signalsOf = (input: readonly bigint[]) =>
    circuitInput({
      manifest: tensors,
      input,
      outputs: runIntegerModel({ integerModel, input }),
      context: CONTEXT,
      ...(inputMode === "salted" ? { salt: SALT } : {}),
    }).signals;
  const witnessOf = (input: readonly bigint[]): bigint[] =>
    wireValues(computeWitness({ plan: circuit.plan, signals: signalsOf(input) }));
  const checker = createConstraintChecker(r1cs);
  return { graph, integerModel, bounds, tensors, circuit, r1cs, checker, signalsOf, witnessOf };
}

/** The bytes of a circuit's file. */
export function r1csBytes(circuit: { rows: Rows; wireCount: number; publicCount: number }): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "haca-r1cs-"));
  try {
    const path = join(folder, "circuit.r1cs");
    writeR1cs({ ...circuit, path });
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every wire, signed. */
export function wireValues({ values, wide }: Witness): bigint[] {
  return Array.from(values, (value, wire) => wide.get(wire) ?? BigInt(value));
}

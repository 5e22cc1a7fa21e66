import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileCircuit } from "@haca/circuits/compileCircuit";
import { type ConstraintChecker, createConstraintChecker } from "@haca/circuits/constraintChecker";
import { type R1cs, readR1cs, readSymbols } from "@haca/circuits/readR1cs";
import { createWitnessCalculator } from "@haca/circuits/witnessCalculator";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeBounds, describeTensors } from "@haca/model-runtime/tensors";
import type { Manifest } from "@haca/protocol/manifest";
import { emitCircuit } from "../../src/constrain/emitCircuit.ts";
import { buildGraph } from "../../src/kinds/buildGraph.ts";
import type { Graph } from "../../src/kinds/graph.ts";
import { parseOnnx } from "../../src/onnx/parseOnnx.ts";
import { DEFAULT_QUANTISE_OPTIONS, type QuantiseOptions } from "../../src/quantise/options.ts";
import { quantiseModel } from "../../src/quantise/quantiseModel.ts";

/** The context that tests put into the public signals. */
export const CONTEXT = (1n << 248n) - 12345n;

export type BuiltCircuit = {
  graph: Graph;
  integerModel: IntegerModel;
  bounds: Map<string, Range[]>;
  tensors: Pick<Manifest, "input" | "outputs">;
  source: string;
  /** value of the model -> signal of the circuit */
  signals: Map<string, string>;
  r1cs: R1cs;
  checker: ConstraintChecker;
  /** signal -> wire, -1 where the compiler folded it away */
  symbols: Map<string, number>;
  /** the witness for named signals */
  calculate: (signals: Readonly<Record<string, string | readonly string[]>>) => bigint[];
  /** the honest witness of an input, from the integer reference's outputs */
  witnessOf: (input: readonly bigint[]) => bigint[];
};

/** Everything of a compiled model but the keys. */
export async function buildCircuit(parameters: {
  onnx: Uint8Array;
  calibration: number[][];
  options?: Partial<QuantiseOptions>;
}): Promise<BuiltCircuit> {
  const { onnx, calibration } = parameters;
  const graph = buildGraph(parseOnnx(onnx));
  const options = { ...DEFAULT_QUANTISE_OPTIONS, ...parameters.options };
  const integerModel = quantiseModel({ graph, calibration, options });
  const bounds = computeBounds(integerModel);
  const tensors = describeTensors({ integerModel, bounds });
  const { source, signals } = emitCircuit({ integerModel, bounds });
  const folder = mkdtempSync(join(tmpdir(), "haca-zkml-"));
  try {
    const path = join(folder, "circuit.circom");
    writeFileSync(path, source);
    const compiled = await compileCircuit({ source: path, outFolder: folder });
    const r1cs = readR1cs(readFileSync(compiled.r1cs));
    const calculator = await createWitnessCalculator(readFileSync(compiled.wasm));
    const calculate: BuiltCircuit["calculate"] = (given) =>
      calculator.calculate(
        Object.fromEntries(
          Object.entries(given).map(([name, value]) => [
            name,
            typeof value === "string" ? BigInt(value) : value.map(BigInt),
          ]),
        ),
      );
    return {
      graph,
      integerModel,
      bounds,
      tensors,
      source,
      signals,
      r1cs,
      checker: createConstraintChecker(r1cs),
      symbols: readSymbols(readFileSync(compiled.symbols, "utf8")),
      calculate,
      witnessOf: (input) => {
        const outputs = runIntegerModel({ integerModel, input });
        const prepared = circuitInput({ manifest: tensors, input, outputs, context: CONTEXT });
        return calculate(prepared.signals);
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileCircuit } from "@haca/circuits/compileCircuit";
import { countNonZeros, readR1csHeader } from "@haca/circuits/readR1cs";
import { computeBounds, type Range } from "@haca/model-runtime/computeBounds";
import { describeTensors } from "@haca/model-runtime/describeTensors";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { MANIFEST_FILE } from "@haca/model-runtime/loadModel";
import { hashFile, sha256 } from "@haca/model-runtime/sha256";
import { type Manifest, manifestSchema } from "@haca/protocol/manifest";
import { emitCircuit } from "./constrain/emitCircuit.ts";
import type { IrGraph } from "./kinds/irGraph.ts";
import { type Progress, step } from "./progress.ts";
import { findLabelOutput } from "./quantise/findLabelOutput.ts";
import type { Accuracy } from "./quantise/measureAccuracy.ts";
import { ensurePtau } from "./setup/ensurePtau.ts";
import { setUpKeys } from "./setup/setUpKeys.ts";

const FILES: Manifest["files"] = {
  circuit: "circuit.circom",
  r1cs: "circuit.r1cs",
  wasm: "circuit.wasm",
  zkey: "circuit.zkey",
  verificationKey: "verification_key.json",
  integerModel: "integer_model.json",
};

/** Names of the circuit's signals; for people and tests, nothing at run time reads it. */
export const SYMBOLS_FILE = "circuit.sym";

/**
 * Writes everything a compiled model consists of to `workFolder/model`: circuit, keys, integer model, manifest.
 * Intermediate files stay in `workFolder`.
 */
export async function buildModel(parameters: {
  onnx: Uint8Array;
  name: string;
  graph: IrGraph;
  integerModel: IntegerModel;
  buildKey: string;
  workFolder: string;
  ptau?: string;
  ptauFolder: string;
  beacon?: string;
  accuracy?: Accuracy;
  onProgress: Progress;
}): Promise<Manifest> {
  const { name, workFolder, graph, integerModel, accuracy, onProgress } = parameters;
  const folder = join(workFolder, "model");
  const file = (path: string) => join(folder, path);
  mkdirSync(folder);

  const bounds = computeBounds(integerModel);
  const tensors = describeTensors({ integerModel, bounds });
  const labelOutput = findLabelOutput(integerModel);
  const label = labelOutput === undefined ? {} : { labelOutput };
  writeFileSync(file(FILES.integerModel), `${JSON.stringify(integerModel)}\n`);
  writeFileSync(file(FILES.circuit), emitCircuit({ integerModel, bounds }).source);

  const circuit = await step({
    name: "compile circuit",
    onProgress,
    run: () => compileCircuit({ source: file(FILES.circuit), outFolder: workFolder }),
  });
  renameSync(circuit.r1cs, file(FILES.r1cs));
  renameSync(circuit.wasm, file(FILES.wasm));
  renameSync(circuit.symbols, file(SYMBOLS_FILE));
  const r1cs = readFileSync(file(FILES.r1cs));
  const { constraintCount, publicInputCount } = readR1csHeader(r1cs);
  onProgress(`circuit: ${constraintCount} constraints, ${publicInputCount} public signals`);

  const { ptau, record } = await ensurePtau({
    // the setup's domain must have more points than there are constraints and public signals
    power: Math.floor(Math.log2(constraintCount + publicInputCount)) + 1,
    ...(parameters.ptau === undefined ? {} : { ptau: parameters.ptau }),
    folder: parameters.ptauFolder,
    onProgress,
  });
  const { verificationKey, beacon } = await step({
    name: "set up keys",
    onProgress,
    run: () =>
      setUpKeys({
        r1cs: file(FILES.r1cs),
        ptau,
        workFolder,
        zkey: file(FILES.zkey),
        ...(parameters.beacon === undefined ? {} : { beacon: parameters.beacon }),
      }),
  });
  writeFileSync(file(FILES.verificationKey), `${JSON.stringify(verificationKey, null, 2)}\n`);

  const manifest: Manifest = {
    format: 1,
    buildKey: parameters.buildKey,
    name,
    hashes: {
      model: sha256(parameters.onnx),
      circuit: await hashFile({ path: file(FILES.circuit), algorithm: "sha256" }),
      r1cs: sha256(r1cs),
      wasm: await hashFile({ path: file(FILES.wasm), algorithm: "sha256" }),
      zkey: await hashFile({ path: file(FILES.zkey), algorithm: "sha256" }),
      ptau: record.sha256,
      verificationKey: await hashFile({ path: file(FILES.verificationKey), algorithm: "sha256" }),
      integerModel: await hashFile({ path: file(FILES.integerModel), algorithm: "sha256" }),
    },
    files: FILES,
    setup: { ptau: record.origin, beacon },
    ...tensors,
    ...label,
    statistics: {
      parameters: graph.parameters,
      activations: countActivations({ integerModel, bounds }),
      constraints: constraintCount,
      nonZeros: countNonZeros(r1cs),
      publicSignals: publicInputCount,
      ...(accuracy === undefined
        ? {}
        : { floatAccuracy: accuracy.float, quantisedAccuracy: accuracy.quantised }),
    },
  };
  writeFileSync(
    file(MANIFEST_FILE),
    `${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`,
  );
  return manifest;
}

function countActivations(parameters: {
  integerModel: IntegerModel;
  bounds: ReadonlyMap<string, readonly Range[]>;
}): number {
  let count = 0;
  for (const { kind, output } of parameters.integerModel.nodes) {
    count += kind === "relu" ? (parameters.bounds.get(output)?.length ?? 0) : 0;
  }
  return count;
}

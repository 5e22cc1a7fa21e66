import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { hashFile, MANIFEST_FILE, sha256 } from "@haca/model-runtime/loadModel";
import { computeBounds, describeTensors } from "@haca/model-runtime/tensors";
import { type Manifest, manifestSchema } from "@haca/protocol/manifest";
import { constrainModel } from "./constrain/constrainModel.ts";
import type { Graph } from "./kinds/graph.ts";
import { proveSample } from "./proveSample.ts";
import { type Accuracy, findLabelOutput } from "./quantise/measureAccuracy.ts";
import { ensurePtau } from "./setup/developmentPtau.ts";
import { keyMaker } from "./setup/nativeProver.ts";
import { type Progress, step } from "./setup/progress.ts";
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
const SYMBOLS_FILE = "circuit.sym";

/**
 * Writes everything a compiled model consists of to `workFolder/model`: circuit, keys, integer model, manifest.
 * Intermediate files stay in `workFolder`.
 */
export async function buildModel(parameters: {
  onnx: Uint8Array;
  name: string;
  graph: Graph;
  integerModel: IntegerModel;
  buildKey: string;
  workFolder: string;
  ptau?: string;
  ptauFolder: string;
  beacon?: string;
  accuracy?: Accuracy;
  /** path of the native prover; default: snarkjs makes the keys */
  prover?: string;
  onProgress: Progress;
}): Promise<Manifest> {
  const native = parameters.prover === undefined ? {} : { prover: parameters.prover };
  const { name, workFolder, graph, integerModel, accuracy, onProgress } = parameters;
  const folder = join(workFolder, "model");
  const file = (path: string) => join(folder, path);
  const hashOf = (path: string) => hashFile({ path: file(path), algorithm: "sha256" });
  mkdirSync(folder);

  const bounds = computeBounds(integerModel);
  const tensors = describeTensors({ integerModel, bounds });
  const labelOutput = findLabelOutput(integerModel);
  const label = labelOutput === undefined ? {} : { labelOutput };
  writeFileSync(file(FILES.integerModel), `${JSON.stringify(integerModel)}\n`);
  const { circuit, r1cs, wasm } = FILES;
  const files = {
    circuit: file(circuit),
    r1cs: file(r1cs),
    wasm: file(wasm),
    symbols: file(SYMBOLS_FILE),
  };
  const size = await step({
    name: "compile circuit",
    onProgress,
    run: () => constrainModel({ integerModel, bounds, files, workFolder }),
  });
  onProgress(`circuit: ${size.constraints} constraints, ${size.publicSignals} public signals`);
  const { ptau, record } = await ensurePtau({
    // the setup's domain must have more points than there are constraints and public signals
    power: Math.floor(Math.log2(size.constraints + size.publicSignals)) + 1,
    ...(parameters.ptau === undefined ? {} : { ptau: parameters.ptau }),
    folder: parameters.ptauFolder,
    ...native,
    onProgress,
  });
  const { verificationKey, beacon } = await step({
    name: `set up keys (${keyMaker(parameters.prover)})`,
    onProgress,
    run: () =>
      setUpKeys({
        r1cs: file(FILES.r1cs),
        ptau,
        workFolder,
        zkey: file(FILES.zkey),
        ...(parameters.beacon === undefined ? {} : { beacon: parameters.beacon }),
        ...native,
        onProgress,
      }),
  });
  writeFileSync(file(FILES.verificationKey), `${JSON.stringify(verificationKey, null, 2)}\n`);

  await step({
    name: "prove a sample",
    onProgress,
    run: () =>
      proveSample({
        integerModel,
        tensors,
        verificationKey,
        wasm: files.wasm,
        zkey: file(FILES.zkey),
      }),
  });

  const manifest: Manifest = {
    format: 1,
    buildKey: parameters.buildKey,
    name,
    hashes: {
      model: sha256(parameters.onnx),
      circuit: await hashOf(FILES.circuit),
      r1cs: await hashOf(FILES.r1cs),
      wasm: await hashOf(FILES.wasm),
      zkey: await hashOf(FILES.zkey),
      ptau: record.sha256,
      verificationKey: await hashOf(FILES.verificationKey),
      integerModel: await hashOf(FILES.integerModel),
    },
    files: FILES,
    setup: { ptau: record.origin, beacon },
    ...tensors,
    ...label,
    statistics: {
      parameters: graph.parameters,
      ...size,
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

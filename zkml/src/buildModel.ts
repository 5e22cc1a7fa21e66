import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashFile, MANIFEST_FILE, sha256 } from "@haca/model-runtime/loadModel";
import { computeBounds, describeTensors } from "@haca/model-runtime/tensors";
import { MANIFEST_FORMAT, type Manifest, manifestSchema } from "@haca/protocol/manifest";
import { constrainModel } from "./constrain/constrainModel.ts";
import type { Graph } from "./kinds/graph.ts";
import { proveSample } from "./proveSample.ts";
import type { QuantisedModel } from "./quantise/chooseBits.ts";
import { findLabelOutput } from "./quantise/measureAccuracy.ts";
import { ensurePtau } from "./setup/developmentPtau.ts";
import { proverName } from "./setup/nativeProver.ts";
import { type Progress, step } from "./setup/progress.ts";
import { setUpKeys } from "./setup/setUpKeys.ts";

const FILES: Manifest["files"] = {
  r1cs: "circuit.r1cs",
  plan: "circuit.plan",
  symbols: "circuit.sym",
  zkey: "circuit.zkey",
  verificationKey: "verification_key.json",
  integerModel: "integer_model.json",
};

/**
 * Writes everything a compiled model consists of to `workFolder/model`: circuit, keys, integer model, manifest.
 * Intermediate files stay in `workFolder`.
 */
export async function buildModel(parameters: {
  onnx: Uint8Array;
  name: string;
  graph: Graph;
  /** files of weights that the ONNX file names */
  external: ReadonlyMap<string, Uint8Array>;
  quantised: QuantisedModel;
  /** an input to prove before the model counts as compiled */
  sample: readonly number[];
  buildKey: string;
  workFolder: string;
  ptau?: string;
  ptauFolder: string;
  beacon?: string;
  /** path of the native prover; default: snarkjs makes the keys and proves the sample */
  prover?: string;
  onProgress: Progress;
}): Promise<Manifest> {
  const native = parameters.prover === undefined ? {} : { prover: parameters.prover };
  const { name, workFolder, graph, external, quantised, onProgress } = parameters;
  const { integerModel } = quantised;
  const report = quantised.test ?? quantised.calibration;
  const folder = join(workFolder, "model");
  const file = (path: string) => join(folder, path);
  const hashOf = (path: string) => hashFile({ path: file(path), algorithm: "sha256" });
  mkdirSync(folder);

  const bounds = computeBounds(integerModel);
  const { input, outputs } = describeTensors({ integerModel, bounds });
  const tensors = {
    input,
    outputs: outputs.map((output, index) => {
      const { stripped, classes } = graph.outputs[index] ?? {};
      return {
        ...output,
        ...(stripped === undefined ? {} : { stripped }),
        ...(classes === undefined ? {} : { classes }),
      };
    }),
  };
  const labelOutput = findLabelOutput(integerModel);
  const label = labelOutput === undefined ? {} : { labelOutput };
  writeFileSync(file(FILES.integerModel), `${JSON.stringify(integerModel)}\n`);
  const files = { r1cs: file(FILES.r1cs), plan: file(FILES.plan), symbols: file(FILES.symbols) };
  const size = await step({
    name: "write and certify circuit",
    onProgress,
    run: async () => constrainModel({ integerModel, bounds, files }),
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
    name: `set up keys (${proverName(parameters.prover)})`,
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
    name: `prove and verify one sample (${proverName(parameters.prover)})`,
    onProgress,
    run: () =>
      proveSample({
        tensors,
        integerModel,
        sample: parameters.sample,
        plan: file(FILES.plan),
        zkey: file(FILES.zkey),
        verificationKey,
        ...(parameters.prover === undefined
          ? {}
          : { native: { program: parameters.prover, workFolder, onProgress } }),
      }),
  });

  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    buildKey: parameters.buildKey,
    name,
    hashes: {
      model: hashModel(parameters.onnx, external),
      r1cs: await hashOf(FILES.r1cs),
      plan: await hashOf(FILES.plan),
      symbols: await hashOf(FILES.symbols),
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
      outputErrors: report.outputs.map(({ error }) => error),
      ...(report.accuracy === undefined
        ? {}
        : {
            floatAccuracy: report.accuracy.float,
            quantisedAccuracy: report.accuracy.quantised,
          }),
    },
  };
  writeFileSync(
    file(MANIFEST_FILE),
    `${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`,
  );
  return manifest;
}

/** The hash of the ONNX file; where weights lie in other files, of it and them, in the order of their names. */
function hashModel(onnx: Uint8Array, external: ReadonlyMap<string, Uint8Array>): string {
  if (external.size === 0) return sha256(onnx);
  const files = [...external].sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(
    [sha256(onnx), ...files.map(([name, bytes]) => `${sha256(bytes)} ${name}`)].join("\n"),
  );
}

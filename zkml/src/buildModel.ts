import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashFile, MANIFEST_FILE, sha256 } from "@haca/model-runtime/loadModel";
import { computeBounds, describeTensors } from "@haca/model-runtime/tensors";
import { MANIFEST_FORMAT, type Manifest, manifestSchema } from "@haca/protocol/manifest";
import type { VerificationKey } from "snarkjs";
import { type BuildRequest, REQUEST_FILE } from "./buildRequest.ts";
import { type CircuitSize, constrainModel } from "./constrain/constrainModel.ts";
import type { Graph } from "./kinds/graph.ts";
import { proveSample } from "./proveSample.ts";
import type { QuantisedModel } from "./quantise/chooseBits.ts";
import { findLabelOutput } from "./quantise/measureAccuracy.ts";
import { ensurePtau } from "./setup/developmentPtau.ts";
import { readKeyTranscript } from "./setup/keyTranscript.ts";
import { proverName } from "./setup/nativeProver.ts";
import { type Progress, step } from "./setup/progress.ts";
import type { PtauRecord } from "./setup/ptauRecord.ts";
import { setUpKeys } from "./setup/setUpKeys.ts";

/** Names of a compiled model's files. */
export const FILES: Manifest["files"] = {
  r1cs: "circuit.r1cs",
  plan: "circuit.plan",
  symbols: "circuit.sym",
  zkey: "circuit.zkey",
  verificationKey: "verification_key.json",
  integerModel: "integer_model.json",
};

/** What a model's circuit and manifest follow from, but for its keys. */
export type ModelSource = {
  onnx: Uint8Array;
  /** files of weights that the ONNX file names */
  external: ReadonlyMap<string, Uint8Array>;
  graph: Graph;
  quantised: QuantisedModel;
  request: BuildRequest;
  buildKey: string;
};

/** What is written before there are keys, and described in the manifest. */
export type WrittenCircuit = Pick<Manifest, "input" | "outputs" | "inputMode"> & {
  size: CircuitSize;
};

/**
 * Writes everything a compiled model consists of to `workFolder/model`: circuit, keys, integer model, manifest, request.
 * Intermediate files stay in `workFolder`.
 */
export async function buildModel(
  parameters: ModelSource & {
    workFolder: string;
    ptau?: string;
    ptauFolder: string;
    /** path of the native prover; default: snarkjs makes the keys and proves the sample */
    prover?: string;
    onProgress: Progress;
  },
): Promise<Manifest> {
  const native = parameters.prover === undefined ? {} : { prover: parameters.prover };
  const { workFolder, quantised, request, onProgress } = parameters;
  const folder = join(workFolder, "model");
  const file = (path: string) => join(folder, path);
  mkdirSync(folder);
  const circuit = await step({
    name: "write and certify circuit",
    onProgress,
    run: () => writeCircuit({ ...parameters, folder }),
  });
  const { size, ...tensors } = circuit;
  onProgress(`circuit: ${size.constraints} constraints, ${size.publicSignals} public signals`);
  const { ptau, record } = await ensurePtau({
    power: powerOf(size),
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
        ...(request.beacon === undefined ? {} : { beacon: request.beacon }),
        ...native,
        onProgress,
      }),
  });
  writeFileSync(file(FILES.verificationKey), verificationKeyText(verificationKey));

  await step({
    name: `prove and verify one sample (${proverName(parameters.prover)})`,
    onProgress,
    run: () =>
      proveSample({
        tensors,
        integerModel: quantised.integerModel,
        sample: request.calibration.inputs[0] ?? [],
        plan: file(FILES.plan),
        zkey: file(FILES.zkey),
        verificationKey,
        ...(parameters.prover === undefined
          ? {}
          : { native: { program: parameters.prover, workFolder, onProgress } }),
      }),
  });

  writeFileSync(file(REQUEST_FILE), `${JSON.stringify(request)}\n`);
  const manifest = await describeModel({
    ...{ ...parameters, folder, circuit },
    keys: { ptau: record, beacon, folder, phase2: "development" },
  });
  writeFileSync(file(MANIFEST_FILE), manifestText(manifest));
  return manifest;
}

/** Writes integer model and circuit to `folder`. Throws `certificate.*`. */
export function writeCircuit(
  parameters: Pick<ModelSource, "graph" | "quantised" | "request"> & { folder: string },
): WrittenCircuit {
  const { folder, graph } = parameters;
  const { inputMode } = parameters.request;
  const { integerModel } = parameters.quantised;
  const file = (path: string) => join(folder, path);
  const bounds = computeBounds(integerModel);
  const { input, outputs } = describeTensors({ integerModel, bounds });
  writeFileSync(file(FILES.integerModel), `${JSON.stringify(integerModel)}\n`);
  const files = { r1cs: file(FILES.r1cs), plan: file(FILES.plan), symbols: file(FILES.symbols) };
  return {
    ...(inputMode === undefined ? {} : { inputMode }),
    input,
    outputs: outputs.map((output, index) => {
      const { stripped, classes } = graph.outputs[index] ?? {};
      return {
        ...output,
        ...(stripped === undefined ? {} : { stripped }),
        ...(classes === undefined ? {} : { classes }),
      };
    }),
    size: constrainModel({ integerModel, bounds, inputMode, files }),
  };
}

/** Keys as a manifest describes them. */
export type DescribedKeys = Pick<Manifest["setup"], "beacon" | "phase2"> & {
  /** where proving and verifying key lie */
  folder: string;
  ptau: Pick<PtauRecord, "origin" | "sha256">;
};

/** The part of a manifest that follows from the keys. */
export async function describeKeys(keys: DescribedKeys): Promise<{
  hashes: Pick<Manifest["hashes"], "zkey" | "ptau" | "verificationKey">;
  setup: Manifest["setup"];
}> {
  const file = (path: string) => join(keys.folder, path);
  const hashOf = (path: string) => hashFile({ path: file(path), algorithm: "sha256" });
  const { csHash, sha256: transcript, contributions } = readKeyTranscript(file(FILES.zkey));
  return {
    hashes: {
      zkey: await hashOf(FILES.zkey),
      ptau: keys.ptau.sha256,
      verificationKey: await hashOf(FILES.verificationKey),
    },
    setup: {
      ...{ ptau: keys.ptau.origin, phase2: keys.phase2, beacon: keys.beacon },
      ...{ csHash, transcript, contributions },
    },
  };
}

/** The manifest of a model whose circuit is in `folder`, and whose keys are in that of `keys`. */
export async function describeModel(
  parameters: ModelSource & {
    folder: string;
    circuit: WrittenCircuit;
    keys: DescribedKeys;
  },
): Promise<Manifest> {
  const { onnx, external, graph, quantised, request, buildKey, folder, circuit, keys } = parameters;
  const { size, ...tensors } = circuit;
  const report = quantised.test ?? quantised.calibration;
  const labelOutput = findLabelOutput(quantised.integerModel);
  const hashOf = (path: string) => hashFile({ path: join(folder, path), algorithm: "sha256" });
  const { hashes: keyHashes, setup } = await describeKeys(keys);
  return manifestSchema.parse({
    format: MANIFEST_FORMAT,
    buildKey,
    name: request.name,
    hashes: {
      model: hashModel(onnx, external),
      r1cs: await hashOf(FILES.r1cs),
      plan: await hashOf(FILES.plan),
      symbols: await hashOf(FILES.symbols),
      ...keyHashes,
      integerModel: await hashOf(FILES.integerModel),
    },
    files: FILES,
    setup,
    ...tensors,
    ...(labelOutput === undefined ? {} : { labelOutput }),
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
  });
}

/** `manifest.json` */
export const manifestText = (manifest: Manifest): string =>
  `${JSON.stringify(manifest, null, 2)}\n`;

/** `verification_key.json` */
export const verificationKeyText = (key: VerificationKey): string =>
  `${JSON.stringify(key, null, 2)}\n`;

/** The setup's domain must have more points than there are constraints and public signals. */
export const powerOf = (size: Pick<CircuitSize, "constraints" | "publicSignals">): number =>
  Math.floor(Math.log2(size.constraints + size.publicSignals)) + 1;

/** The hash of the ONNX file; where weights lie in other files, of it and them, in the order of their names. */
export function hashModel(onnx: Uint8Array, external: ReadonlyMap<string, Uint8Array>): string {
  if (external.size === 0) return sha256(onnx);
  const files = [...external].sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(
    [sha256(onnx), ...files.map(([name, bytes]) => `${sha256(bytes)} ${name}`)].join("\n"),
  );
}

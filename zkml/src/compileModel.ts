import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { type LoadedModel, loadModel, MANIFEST_FILE } from "@haca/model-runtime/loadModel";
import { computeBounds } from "@haca/model-runtime/tensors";
import { BaseError } from "@haca/protocol/baseError";
import type { InputMode } from "@haca/protocol/inputMode";
import { type Manifest, manifestSchema } from "@haca/protocol/manifest";
import { buildKey } from "./buildKey.ts";
import { buildModel } from "./buildModel.ts";
import { buildRequest } from "./buildRequest.ts";
import { writeCircom } from "./circuit/writeCircom.ts";
import { layOutCircuit } from "./constrain/layOutCircuit.ts";
import { buildGraph } from "./kinds/buildGraph.ts";
import { parseOnnx } from "./onnx/parseOnnx.ts";
import { chooseBits, DEFAULT_MAXIMUM_ERROR, type QuantisedModel } from "./quantise/chooseBits.ts";
import { describeErrors } from "./quantise/describeErrors.ts";
import type { QuantiseOptions } from "./quantise/options.ts";
import type { Samples } from "./quantise/readSamples.ts";
import { findNativeProver } from "./setup/nativeProver.ts";
import { type Progress, step } from "./setup/progress.ts";
import { readPtauRecord } from "./setup/ptauRecord.ts";
import { releaseCurve } from "./setup/snarkjsResources.ts";
import { openWorkFolder } from "./workFolder.ts";

export type CompiledModel = {
  folder: string;
  manifest: Manifest;
  /** whether `out` already held this build */
  isCached: boolean;
};

/** Where development powers of tau are kept unless the caller says otherwise: `data/ptau` of the project. */
export const DEFAULT_PTAU_FOLDER = fileURLToPath(new URL("../../data/ptau", import.meta.url));

/**
 * Compiles an ONNX model: quantised model, circuit, proving and verifying key, manifest; and proves a sample. Returns at once where
 * `out` already holds the build of exactly these inputs by exactly this compiler.
 *
 * Everything is written to a folder beside `out`, which takes its place in one step: a build that is killed
 * changes nothing, and the next one removes what it left. A proof of the first calibration sample is made and verified
 * before anything counts as compiled. Ends the threads of snarkjs (`releaseCurve`); nothing else in the process may be using it.
 *
 * Throws `compile.*`, `onnx.*`, `quantise.*`, `samples.*`, `certificate.*`, `ptau.*`, `setup.*`, `verifyingKey.*`.
 */
export async function compileModel(parameters: {
  /** the ONNX file */
  onnx: Uint8Array;
  /** files of weights that it names, by that name (`readOnnxFile`) */
  external?: ReadonlyMap<string, Uint8Array>;
  /** slug of the model: a-z, 0-9 and - */
  name: string;
  /** inputs that show the range of activations */
  calibration: readonly (readonly number[])[] | Samples;
  /** folder to write: a compiled model there is replaced as a whole when the build is complete */
  out: string;
  /** labelled samples to measure accuracy on */
  test?: Samples;
  /** bits that are stated stay as they are; the others are the fewest that keep the error within the bound */
  quantise?: Partial<QuantiseOptions>;
  /** accepted loss: of accuracy for a classifier, relative root mean square for a regression; default 0.01 */
  maximumError?: number;
  /** leave out a final Softmax or the like, and show the scores before it */
  rawScores?: boolean;
  /** what proofs show of the input; default: its words, packed */
  inputMode?: InputMode;
  /** powers of tau that were generated or imported before; default: a development file of the size needed */
  ptau?: string;
  ptauFolder?: string;
  /** 64 lower-case hex digits of public randomness for the setup's last step */
  beacon?: string;
  /** path of the native prover, which makes keys in seconds, or `none`; default: `HACA_PROVER`, or the one that is built */
  prover?: string;
  /** path for the circuit as circom text, which nothing but an auditor needs */
  circom?: string;
  onProgress?: Progress;
}): Promise<CompiledModel> {
  const { onnx, name, test, ptau, beacon } = parameters;
  const { external = new Map(), rawScores = false } = parameters;
  const { maximumError = DEFAULT_MAXIMUM_ERROR } = parameters;
  const calibration: Samples =
    "inputs" in parameters.calibration
      ? parameters.calibration
      : { inputs: parameters.calibration.map((sample) => [...sample]) };
  const onProgress = parameters.onProgress ?? (() => {});
  const out = resolve(parameters.out);
  const options = parameters.quantise ?? {};
  checkNames({ name, beacon });
  checkOut(out);
  const request = buildRequest({
    ...{ name, calibration, test, options, maximumError, rawScores, beacon },
    inputMode: parameters.inputMode,
    ptauHash: ptau === undefined ? undefined : (await readPtauRecord(ptau)).sha256,
  });
  const key = buildKey({ onnx, external, request });
  const cached = await findBuild({ out, key });
  if (cached !== undefined) {
    onProgress(`${name}: unchanged since the last build`);
    writeForAuditors({ ...parameters, integerModel: cached.integerModel });
    return { folder: out, manifest: cached.manifest, isCached: true };
  }

  requireNoCeremony(out);
  const graph = buildGraph(parseOnnx(onnx, external), { rawScores });
  for (const output of graph.outputs) {
    if (output.stripped !== undefined) {
      onProgress(`output ${output.name}: scores before ${output.stripped}, which is left out`);
    }
  }
  const quantised: QuantisedModel = await step({
    name: "quantise",
    onProgress,
    run: () =>
      chooseBits({
        graph,
        calibration,
        ...(test === undefined ? {} : { test }),
        options,
        maximumError,
      }),
  });
  for (const line of describeErrors(quantised)) onProgress(line);
  const prover = findNativeProver({ setting: parameters.prover ?? process.env.HACA_PROVER });
  const workFolder = openWorkFolder(`${out}.building-`);
  try {
    const manifest = await buildModel({
      onnx,
      graph,
      external,
      quantised,
      request,
      buildKey: key,
      workFolder,
      ptauFolder: parameters.ptauFolder ?? DEFAULT_PTAU_FOLDER,
      ...(ptau === undefined ? {} : { ptau }),
      ...(prover === undefined ? {} : { prover }),
      onProgress,
    });
    if (existsSync(out)) {
      renameSync(out, join(workFolder, "replaced"));
    }
    renameSync(join(workFolder, "model"), out);
    writeForAuditors({ ...parameters, integerModel: quantised.integerModel });
    return { folder: out, manifest, isCached: false };
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
    await releaseCurve();
  }
}

/** The rows that the keys were made of: the same model is laid out alike. */
function writeForAuditors(parameters: {
  circom?: string;
  integerModel: IntegerModel;
  inputMode?: InputMode;
}): void {
  const { circom, inputMode, integerModel } = parameters;
  if (circom === undefined) return;
  const bounds = computeBounds(integerModel);
  writeCircom({ ...layOutCircuit({ integerModel, bounds, inputMode }), path: circom });
}

/** The model in `out` if it is of this build and every file is as the manifest says. */
async function findBuild(parameters: {
  out: string;
  key: string;
}): Promise<LoadedModel | undefined> {
  try {
    const model = await loadModel({ folder: parameters.out });
    return model.manifest.buildKey === parameters.key ? model : undefined;
  } catch (error) {
    if (error instanceof BaseError && error.code.startsWith("model.")) {
      return undefined;
    }
    throw error;
  }
}

/** `out` is replaced as a whole: only a compiled model, or nothing, may be there. */
function checkOut(out: string): void {
  if (!existsSync(out) || existsSync(join(out, MANIFEST_FILE))) return;
  if (statSync(out).isDirectory() && readdirSync(out).length === 0) return;
  throw new BaseError({
    code: "compile.outOccupied",
    message: `${out} exists and is no compiled model: it would be replaced; name another folder`,
  });
}

/** What several parties made together is not thrown away for keys of this machine. */
function requireNoCeremony(out: string): void {
  let manifest: { setup?: { phase2?: unknown } } | null;
  try {
    manifest = JSON.parse(readFileSync(join(out, MANIFEST_FILE), "utf8"));
  } catch {
    // nothing that could have such keys
    return;
  }
  if (manifest?.setup?.phase2 !== "ceremony") return;
  throw new BaseError({
    code: "compile.outHasCeremony",
    message: `${out} has keys of a ceremony, which would be lost: name another folder, or move it away`,
  });
}

function checkNames(parameters: { name: string; beacon: string | undefined }): void {
  const { name, beacon } = parameters;
  if (!manifestSchema.shape.name.safeParse(name).success) {
    throw new BaseError({
      code: "compile.nameInvalid",
      message: `name must be 1 to 64 characters of a-z, 0-9 and -, got ${JSON.stringify(name)}`,
    });
  }
  if (beacon !== undefined && !/^[0-9a-f]{64}$/.test(beacon)) {
    throw new BaseError({
      code: "compile.beaconInvalid",
      message: "beacon must be 64 lower-case hex digits",
    });
  }
}

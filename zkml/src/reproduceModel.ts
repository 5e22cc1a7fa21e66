import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type LoadedModel, loadModel, MANIFEST_FILE } from "@haca/model-runtime/loadModel";
import { BaseError } from "@haca/protocol/baseError";
import type { Manifest } from "@haca/protocol/manifest";
import { requireSoundVerifyingKey } from "@haca/protocol/verifyingKey";
import { zKey } from "snarkjs";
import { buildKey } from "./buildKey.ts";
import {
  describeModel,
  FILES,
  hashModel,
  manifestText,
  powerOf,
  verificationKeyText,
  writeCircuit,
} from "./buildModel.ts";
import { readBuildRequest } from "./buildRequest.ts";
import { buildGraph } from "./kinds/buildGraph.ts";
import { parseOnnx } from "./onnx/parseOnnx.ts";
import { chooseBits } from "./quantise/chooseBits.ts";
import { developmentPtauPath } from "./setup/developmentPtau.ts";
import type { KeyTranscript } from "./setup/keyTranscript.ts";
import type { Progress } from "./setup/progress.ts";
import { type PtauRecord, readPtauRecord } from "./setup/ptauRecord.ts";
import { fileInMemory } from "./setup/snarkjsResources.ts";
import { verifyTranscript } from "./setup/verifyTranscript.ts";

/** Files that follow from the ONNX file and the request alone. */
const CIRCUIT_FILES = ["integerModel", "r1cs", "plan", "symbols"] as const;

/** What came of making a compiled model again. */
export type Reproduction = {
  /** what is as the folder has it, a line each */
  equal: string[];
  /** what is not, or cannot be said, a line each: empty where all is reproduced */
  differences: string[];
  /** of the proving key, where it follows from circuit and powers of tau */
  transcript?: KeyTranscript;
};

/**
 * Makes circuit and manifest of a compiled model again from its ONNX file and compares them byte for byte; then looks
 * whether its keys follow from that circuit, through every contribution. The verifying key alone does not name a model:
 * two models of one shape differ in nothing but delta, which the transcript ties to the circuit's hash.
 *
 * Throws what `loadModel` and `readBuildRequest` throw, for a folder that holds nothing to compare with.
 */
export async function reproduceModel(parameters: {
  /** of the compiled model */
  folder: string;
  onnx: Uint8Array;
  external: ReadonlyMap<string, Uint8Array>;
  /** an empty folder for what is made again */
  workFolder: string;
  /** powers of tau of its keys; default: the development file of that size */
  ptau?: string;
  ptauFolder: string;
  /** whether keys are looked at */
  keys: boolean;
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
}): Promise<Reproduction> {
  const { folder, onnx, external, workFolder } = parameters;
  const result: Reproduction = { equal: [], differences: [] };
  const model = await loadModel({ folder });
  const compare = (name: string, made: string, expected: string): void => {
    if (made === expected) result.equal.push(name);
    else result.differences.push(`${name} is ${made}, the folder says ${expected}`);
  };
  compare("SHA-256 of the model", hashModel(onnx, external), model.manifest.hashes.model);
  const ptau = parameters.keys ? await findPtau({ ...parameters, model }) : undefined;
  const made = makeAgain({ ...parameters, model });
  if ("reason" in made) {
    result.differences.push(`the circuit cannot be made again: ${made.reason}`);
  } else {
    for (const file of CIRCUIT_FILES) {
      const [ours, theirs] = [workFolder, folder].map((at) => readFileSync(join(at, FILES[file])));
      if (ours?.equals(theirs as Buffer)) result.equal.push(FILES[file]);
      else result.differences.push(`${FILES[file]}: ${firstDifference(ours, theirs)}`);
    }
    const { hashes, setup } = model.manifest;
    const manifest = await describeModel({
      ...{ ...made, folder: workFolder },
      keys: {
        folder,
        beacon: setup.beacon,
        phase2: setup.phase2,
        ptau: ptau?.record ?? { origin: setup.ptau, sha256: hashes.ptau },
      },
    });
    const text = readFileSync(join(folder, MANIFEST_FILE), "utf8");
    if (manifestText(manifest) === text) result.equal.push(MANIFEST_FILE);
    else result.differences.push(...manifestDifferences(manifest, model.manifest));
  }
  if (parameters.keys) await compareKeys({ ...parameters, model, ptau, result });
  return result;
}

type MadeAgain = Omit<Parameters<typeof describeModel>[0], "folder" | "keys">;

/** Circuit and integer model in the work folder, or why there are none. */
function makeAgain(parameters: {
  model: LoadedModel;
  onnx: Uint8Array;
  external: ReadonlyMap<string, Uint8Array>;
  workFolder: string;
}): MadeAgain | { reason: string } {
  const { model, onnx, external, workFolder } = parameters;
  const request = readBuildRequest(model.folder);
  const { calibration, test, options, maximumError, rawScores } = request;
  try {
    const graph = buildGraph(parseOnnx(onnx, external), { rawScores });
    const quantised = chooseBits({
      ...{ graph, calibration, options, maximumError },
      ...(test === undefined ? {} : { test }),
    });
    const circuit = writeCircuit({ graph, quantised, request, folder: workFolder });
    const key = buildKey({ onnx, external, request });
    return { onnx, external, graph, quantised, request, circuit, buildKey: key };
  } catch (error) {
    if (error instanceof BaseError) return { reason: error.message };
    throw error;
  }
}

/** The named file, or the development file if it is the one of these keys; undefined where there is none. */
async function findPtau(parameters: {
  model: LoadedModel;
  ptau?: string;
  ptauFolder: string;
}): Promise<{ ptau: string; record: PtauRecord } | undefined> {
  const { ptau, ptauFolder, model } = parameters;
  if (ptau !== undefined) return { ptau, record: await readPtauRecord(ptau) };
  const power = powerOf(model.manifest.statistics);
  const path = developmentPtauPath({ folder: ptauFolder, power });
  if (!existsSync(path)) return undefined;
  const record = await readPtauRecord(path);
  return record.sha256 === model.manifest.hashes.ptau ? { ptau: path, record } : undefined;
}

async function compareKeys(parameters: {
  model: LoadedModel;
  ptau: { ptau: string; record: PtauRecord } | undefined;
  prover?: string;
  onProgress: Progress;
  result: Reproduction;
}): Promise<void> {
  const { model, ptau, prover, onProgress, result } = parameters;
  const { files, setup, hashes } = model.manifest;
  const path = (file: keyof Manifest["files"]) => join(model.folder, files[file]);
  const key = await zKey.exportVerificationKey(fileInMemory(path("zkey")));
  if (verificationKeyText(key) === readFileSync(path("verificationKey"), "utf8")) {
    result.equal.push(files.verificationKey);
  } else result.differences.push(`${files.verificationKey} is not that of ${files.zkey}`);
  if (ptau === undefined) {
    result.differences.push(
      `${files.zkey} cannot be verified: the powers of tau with SHA-256 ${hashes.ptau} are not here (--ptau <file>, or --no-keys)`,
    );
    return;
  }
  try {
    requireSoundVerifyingKey(key);
    const transcript = await verifyTranscript({
      ...{ r1cs: path("r1cs"), ptau: ptau.ptau, zkey: path("zkey"), onProgress },
      ...(prover === undefined ? {} : { prover }),
    });
    result.transcript = transcript;
    result.equal.push(files.zkey);
    const beacon = transcript.contributions.at(-1)?.beacon;
    if (beacon !== setup.beacon) {
      result.differences.push(
        `setup.beacon: the key ends with ${beacon === undefined ? "no beacon" : beacon}, the manifest says ${setup.beacon}`,
      );
    }
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    result.differences.push(`${files.zkey} does not follow from the circuit: ${error.message}`);
  }
}

function firstDifference(ours: Buffer | undefined, theirs: Buffer | undefined): string {
  const [made, found] = [ours ?? Buffer.of(), theirs ?? Buffer.of()];
  let at = 0;
  while (at < made.length && made[at] === found[at]) at += 1;
  return `differs from byte ${at} on; ${made.length} bytes, the folder has ${found.length}`;
}

/** Every place at which two manifests differ, or that they differ in nothing but how they are written. */
function manifestDifferences(made: Manifest, found: Manifest): string[] {
  const places = differingPlaces(made, found, "");
  return places.length === 0
    ? [`${MANIFEST_FILE}: is not written as compile writes it`]
    : places.map(({ place, ours, theirs }) => {
        const hint =
          place === "buildKey" ? " (of another version of the compiler, or another request)" : "";
        return `${MANIFEST_FILE}: ${place} is ${ours}, the folder says ${theirs}${hint}`;
      });
}

function differingPlaces(
  made: unknown,
  found: unknown,
  place: string,
): { place: string; ours: string; theirs: string }[] {
  if (isObject(made) && isObject(found)) {
    const keys = new Set([...Object.keys(made), ...Object.keys(found)]);
    return [...keys].flatMap((key) =>
      differingPlaces(made[key], found[key], place === "" ? key : `${place}.${key}`),
    );
  }
  const [ours, theirs] = [made, found].map((value) => JSON.stringify(value) ?? "absent");
  return ours === theirs ? [] : [{ place, ours: ours as string, theirs: theirs as string }];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

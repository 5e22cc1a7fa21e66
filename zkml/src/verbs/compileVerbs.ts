import { basename, extname } from "node:path";
import { loadModel } from "@haca/model-runtime/loadModel";
import { type InputMode, modeOf } from "@haca/protocol/inputMode";
import type { Manifest } from "@haca/protocol/manifest";
import { userPath } from "@haca/protocol/userPath";
import { checkModel } from "../checkModel.ts";
import { compileModel, DEFAULT_PTAU_FOLDER } from "../compileModel.ts";
import { readOnnxFile } from "../onnx/readOnnxFile.ts";
import type { InputRange, QuantiseOptions } from "../quantise/options.ts";
import { readSamples } from "../quantise/readSamples.ts";
import { developmentPtauPath, generatePtau } from "../setup/developmentPtau.ts";
import { importPtau } from "../setup/importPtau.ts";
import { releaseCurve } from "../setup/snarkjsResources.ts";
import { nativeProver, print, usage } from "./options.ts";

type CompileOptions = {
  calibration: string;
  out: string;
  name?: string;
  test?: string;
  ptau?: string;
  beacon?: string;
  weightBits?: number;
  activationBits?: number;
  inputBits?: number;
  outputBits?: number;
  inputRange?: InputRange;
  maxError?: number;
  rawScores?: boolean;
  inputMode: InputMode;
  circom?: string;
};

export async function compile(path: string, options: CompileOptions): Promise<void> {
  const quantise: Partial<QuantiseOptions> = {
    ...(options.weightBits === undefined ? {} : { weightBits: options.weightBits }),
    ...(options.activationBits === undefined ? {} : { activationBits: options.activationBits }),
    ...(options.inputBits === undefined ? {} : { inputBits: options.inputBits }),
    ...(options.outputBits === undefined ? {} : { outputBits: options.outputBits }),
    ...(options.inputRange === undefined ? {} : { input: options.inputRange }),
  };
  const { folder, manifest } = await compileModel({
    ...readOnnxFile(userPath(path)),
    name: options.name ?? slugOf(path),
    calibration: readSamples(userPath(options.calibration)),
    out: userPath(options.out),
    quantise,
    ...(options.test === undefined ? {} : { test: readSamples(userPath(options.test)) }),
    ...(options.ptau === undefined ? {} : { ptau: userPath(options.ptau) }),
    ...(options.beacon === undefined ? {} : { beacon: options.beacon }),
    ...(options.maxError === undefined ? {} : { maximumError: options.maxError }),
    rawScores: options.rawScores === true,
    inputMode: options.inputMode,
    ...(options.circom === undefined ? {} : { circom: userPath(options.circom) }),
    onProgress: print,
  });
  print(formatManifest(manifest));
  print(`written to ${folder}`);
}

/** A name for the model that a file of any name gives: letters in lower case, digits, and dashes for the rest. */
function slugOf(path: string): string {
  const slug = basename(path, extname(path))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  return slug.replaceAll(/^-+|-+$/g, "").slice(0, 64) || "model";
}

export function check(path: string, options: { rawScores?: boolean }): void {
  const { onnx, external } = readOnnxFile(userPath(path));
  const { lines, isReady } = checkModel({ onnx, external, rawScores: options.rawScores === true });
  for (const line of lines) print(line);
  if (!isReady) process.exitCode = 1;
}

export async function ptau(options: {
  power?: number;
  file?: string;
  blake2b?: string;
  sha256?: string;
}): Promise<void> {
  const { power, file, blake2b, sha256 } = options;
  if ((power === undefined) === (file === undefined)) {
    throw usage("ptau: give either --power or --file");
  }
  const hash = blake2b ?? sha256;
  if (power !== undefined && hash !== undefined) {
    throw usage("ptau: --blake2b and --sha256 belong to --file");
  }
  if (blake2b !== undefined && sha256 !== undefined) {
    throw usage("ptau --file: give one of --blake2b and --sha256");
  }
  try {
    if (power !== undefined) {
      const path = developmentPtauPath({ folder: DEFAULT_PTAU_FOLDER, power });
      const record = await generatePtau({
        power,
        ptau: path,
        ...nativeProver(),
        onProgress: print,
      });
      print(`${path}: development file for circuits below 2^${record.power} constraints`);
    } else if (file !== undefined) {
      if (hash === undefined) {
        throw usage("ptau --file: give the published hash with --blake2b or --sha256");
      }
      const algorithm = blake2b === undefined ? "sha256" : "blake2b512";
      const record = await importPtau({
        ptau: userPath(file),
        expected: { algorithm, hash },
        onProgress: print,
      });
      print(`${file}: ceremony file for circuits below 2^${record.power} constraints, checked`);
    }
  } finally {
    await releaseCurve();
  }
}

export async function inspect(folder: string): Promise<void> {
  const { manifest } = await loadModel({ folder: userPath(folder) });
  print(formatManifest(manifest));
}

const MODE_WORDS: Record<InputMode, string> = {
  packed: "its words, which anybody can read",
  committed:
    "a hash without a salt: whoever can try all likely inputs finds the one; --input-mode salted hides it",
  salted: "a hash with a salt of the request: hidden from the chain, not from the node",
};

/** What a compiled model is, in a few lines for a person. */
function formatManifest(manifest: Manifest): string {
  const { name, input, outputs, statistics, setup, hashes } = manifest;
  const { floatAccuracy, quantisedAccuracy, outputErrors } = statistics;
  const percent = (share: number | undefined) =>
    share === undefined ? "not measured" : `${(100 * share).toFixed(2)} %`;
  return [
    `model            ${name}`,
    ...[input, ...outputs].map(
      ({ name: tensor, shape, layout, minimum, maximum }, index) =>
        `${(index === 0 ? "input" : "output").padEnd(16)} ${tensor} [${shape}]: ${layout.bits} bits, ${minimum} to ${maximum}, scale 2^${layout.scaleExponent}`,
    ),
    `parameters       ${statistics.parameters}`,
    `activations      ${statistics.activations}`,
    `constraints      ${statistics.constraints}`,
    `non-zeros        ${statistics.nonZeros}`,
    `public signals   ${statistics.publicSignals}`,
    `input shown as   ${MODE_WORDS[modeOf(manifest)]}`,
    `accuracy         float ${percent(floatAccuracy)}, quantised ${percent(quantisedAccuracy)}`,
    `relative error   ${outputErrors?.map((error) => `${(100 * error).toPrecision(3)} %`).join(", ") ?? "not measured"}`,
    ...outputs.flatMap(({ name: output, stripped, classes }) => [
      ...(stripped === undefined ? [] : [`left out         ${stripped}, after ${output}`]),
      ...(classes === undefined ? [] : [`classes          ${output}: ${classes.join(", ")}`]),
    ]),
    `powers of tau    ${setup.ptau === "ceremony" ? "public ceremony" : "development: proofs can be forged by whoever made them"}`,
    `keys             ${setup.phase2 === "ceremony" ? `ceremony, ${setup.contributions.length - 1} ${setup.contributions.length === 2 ? "contribution" : "contributions"} and a beacon` : "development: proofs can be forged by whoever made them"}`,
    `transcript       ${setup.transcript}`,
    `model hash       ${hashes.model}`,
    `circuit hash     ${hashes.r1cs}`,
  ].join("\n");
}

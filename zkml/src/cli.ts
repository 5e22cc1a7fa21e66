#!/usr/bin/env node
import { basename, extname } from "node:path";
import { loadModel } from "@haca/model-runtime/loadModel";
import { BaseError } from "@haca/protocol/baseError";
import type { Manifest } from "@haca/protocol/manifest";
import { userPath } from "@haca/protocol/userPath";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { checkModel } from "./checkModel.ts";
import { compileModel, DEFAULT_PTAU_FOLDER } from "./compileModel.ts";
import { readOnnxFile } from "./onnx/readOnnxFile.ts";
import type { InputRange, QuantiseOptions } from "./quantise/options.ts";
import { readSamples } from "./quantise/readSamples.ts";
import { developmentPtauPath, generatePtau } from "./setup/developmentPtau.ts";
import { importPtau } from "./setup/importPtau.ts";
import { findNativeProver } from "./setup/nativeProver.ts";
import { releaseCurve } from "./setup/snarkjsResources.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

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
  circom?: string;
};

const HELP_COLUMNS = 80;

const program = new Command("zkml")
  .description("Compiles ONNX models to circuits with keys.")
  .helpCommand(false)
  .helpOption("-h, --help", "this text; after a verb, that verb's")
  .configureOutput({
    getOutHelpWidth: () => HELP_COLUMNS,
    getErrHelpWidth: () => HELP_COLUMNS,
  })
  .showHelpAfterError("(zkml --help shows all commands)")
  .exitOverride();

program
  .command("compile")
  .description("quantise a model, write its circuit, make its keys")
  .argument("<model.onnx>")
  .requiredOption("--calibration <json>", "inputs that show the range of activations")
  .requiredOption("--out <folder>", "folder to write")
  .option("--name <slug>", "name of the model; default: the file's name")
  .option("--test <json>", "inputs with labels or targets to measure errors on")
  .option("--max-error <share>", "accepted loss of exactness (0.01)", share)
  .option("--raw-scores", "show the scores before a final Softmax or the like")
  .option("--ptau <file>", "powers of tau; default: a development file, made where missing")
  .option("--beacon <hex>", "public randomness for the last step of the setup, 64 hex digits")
  .option("--weight-bits <n>", "bits of a weight; default: as needed", integer)
  .option("--activation-bits <n>", "bits of a hidden activation; default: as needed", integer)
  .option("--input-bits <n>", "bits of a real input element; default: as needed", integer)
  .option("--output-bits <n>", "greatest width of an output element (24)", integer)
  .option("--input-range <range>", "minimum,maximum,exponent: integers of the input", inputRange)
  .option("--circom <file>", "write the circuit as circom text as well, for auditors")
  .action(compile);

program
  .command("check")
  .description("list everything that stands between a model and a proof")
  .argument("<model.onnx>")
  .option("--raw-scores", "count a final Softmax or the like as left out")
  .action(check);

program
  .command("ptau")
  .description("make powers of tau for development, or check and take a ceremony's file")
  .option("--power <n>", "make a development file for circuits below 2^n constraints", integer)
  .option("--file <path>", "a ceremony's file, prepared for phase 2")
  .option("--blake2b <hash>", "the hash the ceremony published")
  .option("--sha256 <hash>", "the hash the ceremony published")
  .action(ptau);

program
  .command("inspect")
  .description("check the files of a compiled model and show what it is")
  .argument("<folder>")
  .action(async (folder: string) => {
    const { manifest } = await loadModel({ folder: userPath(folder) });
    print(formatManifest(manifest));
  });

try {
  if (process.argv.length > 2) await program.parseAsync();
  else program.outputHelp();
} catch (error) {
  process.exitCode = report(error);
}

async function compile(path: string, options: CompileOptions): Promise<void> {
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
    ...(options.circom === undefined ? {} : { circom: userPath(options.circom) }),
    ...nativeProver(),
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

function check(path: string, options: { rawScores?: boolean }): void {
  const { onnx, external } = readOnnxFile(userPath(path));
  const { lines, isReady } = checkModel({ onnx, external, rawScores: options.rawScores === true });
  for (const line of lines) print(line);
  if (!isReady) process.exitCode = EXIT_FAILURE;
}

async function ptau(options: {
  power?: number;
  file?: string;
  blake2b?: string;
  sha256?: string;
}): Promise<void> {
  const { power, file, blake2b, sha256 } = options;
  const usage = (message: string) => new BaseError({ code: "cli.usage", message });
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

/** Makes keys where it is built; snarkjs otherwise. */
function nativeProver(): { prover?: string } {
  const prover = findNativeProver({ setting: process.env.HACA_PROVER });
  return prover === undefined ? {} : { prover };
}

function integer(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new InvalidArgumentError("must be an integer");
  }
  return Number(text);
}

function share(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || !(value > 0)) {
    throw new InvalidArgumentError("must be a number above 0, 0.01 is one percent");
  }
  return value;
}

function inputRange(text: string): InputRange {
  const match = /^(-?\d+),(-?\d+),(-?\d+)$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError("must be minimum,maximum,exponent, for example 0,16,0");
  }
  const [minimum, maximum, scaleExponent] = match.slice(1).map(Number) as [number, number, number];
  return { minimum, maximum, scaleExponent };
}

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
    `accuracy         float ${percent(floatAccuracy)}, quantised ${percent(quantisedAccuracy)}`,
    `relative error   ${outputErrors?.map((error) => `${(100 * error).toPrecision(3)} %`).join(", ") ?? "not measured"}`,
    ...outputs.flatMap(({ name: output, stripped, classes }) => [
      ...(stripped === undefined ? [] : [`left out         ${stripped}, after ${output}`]),
      ...(classes === undefined ? [] : [`classes          ${output}: ${classes.join(", ")}`]),
    ]),
    `powers of tau    ${setup.ptau === "ceremony" ? "public ceremony" : "development: proofs can be forged by whoever made them"}`,
    `model hash       ${hashes.model}`,
    `circuit hash     ${hashes.r1cs}`,
  ].join("\n");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line on standard error, whatever failed; the exit code. `HACA_DEBUG=1` shows where it came from. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // commander has printed the help or the reason
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  const isKnown = error instanceof BaseError || (error instanceof Error && "syscall" in error);
  const message = error instanceof Error ? error.message : String(error);
  const line = message.split("\n").find((text) => text.trim() !== "") ?? "unknown failure";
  const suffix = isKnown ? "" : " [unexpected; HACA_DEBUG=1 shows where]";
  process.stderr.write(`zkml: ${line.trim()}${suffix}\n`);
  if (process.env.HACA_DEBUG === "1") console.error(error);
  return error instanceof BaseError && error.code === "cli.usage" ? EXIT_USAGE : EXIT_FAILURE;
}

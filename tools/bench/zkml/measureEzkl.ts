import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LoadedModel, loadModel } from "@haca/model-runtime/loadModel";
import { dequantise } from "@haca/model-runtime/quantise";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { BaseError } from "@haca/protocol/baseError";
import { compileModel } from "@haca/zkml/compileModel";
import { buildGraph } from "@haca/zkml/kinds/buildGraph";
import { runFloatModel } from "@haca/zkml/kinds/graph";
import { parseOnnx } from "@haca/zkml/onnx/parseOnnx";
import { answerInput } from "@haca/zkml/proving/answerInput";
import { round } from "../prover/figures.ts";
import { median } from "../prover/measure.ts";
import { startNativeOneShots, verifyNatively } from "../prover/oneShot.ts";
import type { Ezkl } from "./ezklAt.ts";
import type { EzklModel } from "./ezklModels.ts";
import { proveWarm } from "./programs.ts";
import { type EzklRun, runEzkl } from "./runEzkl.ts";

type Figures = Record<string, number>;

const MEBIBYTE = 1024 * 1024;
const PROOFS = 5;
/** A, B and C, as a contract takes them */
const PROOF_BYTES = 64 + 128 + 64;

/** Ours and EZKL's keys and proof of one model from the same file, calibration and sample, one after the other. */
export async function measureEzkl(parameters: {
  model: EzklModel;
  ezkl: Ezkl;
  limitSeconds: number;
  prover: string;
  /** what is written there is removed again: EZKL's keys take hundreds of megabytes */
  folder: string;
  onProgress: (line: string) => void;
}): Promise<{ figures: Figures; run: EzklRun }> {
  const { model, ezkl, limitSeconds, prover, onProgress } = parameters;
  const folder = join(parameters.folder, `ezkl-${model.name}`);
  mkdirSync(folder, { recursive: true });
  const onnx = model.onnx();
  const samples = model.samples();
  const graph = buildGraph(parseOnnx(onnx));
  const value = graph.outputs[0]?.value ?? "";
  const expected = samples.map((input) => runFloatModel({ graph, input }).get(value) ?? []);
  try {
    const ours = await measureOurs({ model, onnx, samples, prover, folder });
    onProgress(`${model.name}: ours: proved in ${ours.proveSeconds} s`);
    const file = join(folder, "model.onnx");
    writeFileSync(file, onnx);
    writeFileSync(join(folder, "calibration.json"), JSON.stringify(model.calibration()));
    writeFileSync(join(folder, "samples.json"), JSON.stringify(samples));
    const run = await runEzkl({
      ...{ python: ezkl.python, folder, onnx: file, limitSeconds },
      onProgress: (line) => onProgress(`${model.name}: EZKL: ${line}`),
    });
    const ourFigures = {
      compileSeconds: ours.compileSeconds,
      proveSeconds: ours.proveSeconds,
      warmProveSeconds: ours.warmProveSeconds,
      peakMiB: ours.peakMiB,
      proofBytes: PROOF_BYTES,
      provingKeyBytes: ours.provingKeyBytes,
      relativeRms: relativeRms({ expected, got: ours.outputs }),
    };
    const figures = {
      ...named(`ezkl.${model.name}`, ezklFigures({ run, expected })),
      ...named(`ezkl.${model.name}.ours`, ourFigures),
    };
    const { prove } = run.seconds;
    if (run.proof !== undefined && prove !== undefined) {
      figures[`ratio.ezkl.${model.name}.prove`] = round(prove / ours.proveSeconds);
    }
    return { figures, run };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Only what was reached has figures. */
function ezklFigures(parameters: { run: EzklRun; expected: readonly number[][] }): Figures {
  const { run, expected } = parameters;
  const { keys, proof, seconds } = run;
  const { settings, calibrate, compile, srs, setup, witness, prove, verify } = seconds;
  const reached: Record<string, number | undefined> = {
    proved: proof === undefined ? 0 : 1,
    logrows: keys?.logrows,
    compileSeconds: compile && round((settings ?? 0) + (calibrate ?? 0) + compile),
    srsSeconds: srs,
    keySeconds: setup,
    keyPeakMiB: keys?.peakMiB,
    witnessSeconds: witness,
    proveSeconds: prove,
    verifySeconds: verify,
    peakMiB: proof?.peakMiB,
    proofBytes: proof?.proofBytes,
    provingKeyBytes: keys?.provingKeyBytes,
    verifyingKeyBytes: keys?.verifyingKeyBytes,
    relativeRms: proof && relativeRms({ expected, got: proof.outputs }),
  };
  return Object.fromEntries(
    Object.entries(reached).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

const named = (prefix: string, figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([key, value]) => [`${prefix}.${key}`, value]));

/** Ours: compiled from nothing, powers of tau included, and proved as EZKL proves: the key is read for every proof. */
async function measureOurs(parameters: {
  model: EzklModel;
  onnx: Uint8Array;
  samples: readonly number[][];
  prover: string;
  folder: string;
}): Promise<{
  compileSeconds: number;
  proveSeconds: number;
  warmProveSeconds: number;
  peakMiB: number;
  provingKeyBytes: number;
  outputs: number[][];
}> {
  const { model, onnx, samples, prover, folder } = parameters;
  const out = join(folder, "ours");
  const started = performance.now();
  await compileModel({
    ...{ onnx, out, prover, name: "model", calibration: model.calibration() },
    ...model.build,
    ptauFolder: join(folder, "ptau"),
  });
  const compileSeconds = round((performance.now() - started) / 1000);
  const loaded = await loadModel({ folder: out });
  const zkey = join(out, loaded.manifest.files.zkey);
  const witness = join(folder, "ours.wtns");
  const answers = samples.map((values) => answerInput({ ...loaded, values, context: 1n }));
  const [first] = answers;
  if (first === undefined) {
    throw new BaseError({ code: "bench.samples", message: `${model.name} has no sample to prove` });
  }
  const plan = decodeWitnessPlan(readFileSync(join(out, loaded.manifest.files.plan)));
  writeFileSync(witness, wtnsFile(computeWitness({ plan, signals: first.signals })));
  const [oneShot] = startNativeOneShots({
    program: prover,
    folder,
    verify: verifyNatively(prover),
  });
  const proveMs: number[] = [];
  for (let run = 0; run <= PROOFS && oneShot !== undefined; run += 1) {
    proveMs.push((await oneShot.prove({ zkey, witness })).proveMs);
  }
  const warm = await proveWarm({ prover, zkey, witness });
  return {
    compileSeconds,
    // the first checks the key, which is then remembered
    proveSeconds: seconds(median(proveMs.slice(1))),
    warmProveSeconds: seconds(median(warm.proveMs)),
    peakMiB: Math.round(warm.peakBytes / MEBIBYTE),
    provingKeyBytes: statSync(zkey).size,
    outputs: answers.map(({ outputs }) => firstOutput(loaded, outputs)),
  };
}

function firstOutput({ manifest }: LoadedModel, outputs: readonly bigint[][]): number[] {
  const layout = manifest.outputs[0]?.layout;
  return layout === undefined ? [] : dequantise({ layout, integers: outputs[0] ?? [] });
}

/** Of milliseconds, to a tenth of one. */
const seconds = (milliseconds: number): number => Math.round(milliseconds * 10) / 10_000;

/** Root mean square of the differences over that of what was expected, to three digits. */
function relativeRms(parameters: {
  expected: readonly number[][];
  got: readonly number[][];
}): number {
  const expected = parameters.expected.flat();
  const got = parameters.got.flat();
  if (got.length !== expected.length) return Number.NaN;
  const sum = (values: readonly number[]) => values.reduce((total, one) => total + one * one, 0);
  const differences = expected.map((one, index) => one - (got[index] ?? Number.NaN));
  return Number(Math.sqrt(sum(differences) / sum(expected)).toPrecision(3));
}

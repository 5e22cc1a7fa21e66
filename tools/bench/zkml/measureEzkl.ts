import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildGraph } from "@haca/zkml/kinds/buildGraph";
import { runFloatModel } from "@haca/zkml/kinds/graph";
import { parseOnnx } from "@haca/zkml/onnx/parseOnnx";
import { round } from "../prover/figures.ts";
import { median } from "../prover/measure.ts";
import type { Ezkl } from "./ezklAt.ts";
import type { EzklModel } from "./ezklModels.ts";
import { type Ours, prepareOurs } from "./prepareOurs.ts";
import { proveWarm } from "./programs.ts";
import { type EzklRun, runEzkl } from "./runEzkl.ts";

type Figures = Record<string, number>;

const MEBIBYTE = 1024 * 1024;
/** of ours, before EZKL's and after it */
const PROOFS = 3;
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
    const ours = await prepareOurs({ model, onnx, samples, prover, folder });
    const file = join(folder, "model.onnx");
    writeFileSync(file, onnx);
    writeFileSync(join(folder, "calibration.json"), JSON.stringify(model.calibration()));
    writeFileSync(join(folder, "samples.json"), JSON.stringify(samples));
    // before and after EZKL, so that what else the machine does meets both
    const before = await proveSeveral(ours);
    const run = await runEzkl({
      ...{ python: ezkl.python, folder, onnx: file, limitSeconds },
      onProgress: (line) => onProgress(`${model.name}: EZKL: ${line}`),
    });
    const proveMs = median([...before, ...(await proveSeveral(ours))]);
    const warm = await proveWarm({ prover, zkey: ours.zkey, witness: ours.witness });
    const ourFigures = {
      compileSeconds: round(ours.compileSeconds),
      proveSeconds: seconds(proveMs),
      warmProveSeconds: seconds(median(warm.proveMs)),
      peakMiB: Math.round(warm.peakBytes / MEBIBYTE),
      proofBytes: PROOF_BYTES,
      provingKeyBytes: ours.provingKeyBytes,
      relativeRms: relativeRms({ expected, got: ours.outputs }),
    };
    onProgress(`${model.name}: ours: prove: ${ourFigures.proveSeconds} s`);
    const figures = {
      ...named(`ezkl.${model.name}`, ezklFigures({ run, expected })),
      ...named(`ezkl.${model.name}.ours`, ourFigures),
    };
    const { prove } = run.seconds;
    if (run.proof !== undefined && prove !== undefined) {
      figures[`ratio.ezkl.${model.name}.prove`] = round((prove * 1000) / proveMs);
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
    compileSeconds:
      compile === undefined ? undefined : round((settings ?? 0) + (calibrate ?? 0) + compile),
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
    relativeRms: proof === undefined ? undefined : relativeRms({ expected, got: proof.outputs }),
  };
  return Object.fromEntries(
    Object.entries(reached).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

const named = (prefix: string, figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([key, value]) => [`${prefix}.${key}`, value]));

async function proveSeveral({ prove }: Ours): Promise<number[]> {
  const milliseconds: number[] = [];
  for (let run = 0; run < PROOFS; run += 1) milliseconds.push(await prove());
  return milliseconds;
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

/** What the compiler makes of the digits model, of models of several sizes, and of what exporters wrote. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { readR1cs, readSymbols } from "@haca/circuits/readR1cs";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import { loadModel } from "@haca/model-runtime/loadModel";
import { quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import type { Manifest } from "@haca/protocol/manifest";
import { compileModel } from "@haca/zkml/compileModel";
import { readSamples } from "@haca/zkml/quantise/readSamples";
import { findNativeProver, proverName } from "@haca/zkml/setup/nativeProver";
import { releaseCurve } from "@haca/zkml/setup/snarkjsResources";
import { groth16, type SnarkFile } from "snarkjs";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { formatTable } from "../../scripts/lib/table.ts";
import { type ExportResult, exportsFolder, measureExports } from "./zkml/exports.ts";
import { proveExportsByEzkl } from "./zkml/ezklExports.ts";
import { type EzklOptions, type EzklTask, readEzklOptions } from "./zkml/ezklOptions.ts";
import { measureEzkl } from "./zkml/measureEzkl.ts";
import { measureModel } from "./zkml/measureModel.ts";
import type { EzklRun } from "./zkml/runEzkl.ts";
import { SIZED_MODELS } from "./zkml/sizedModels.ts";

const PROOFS = 10;

const EZKL_HOW =
  "One run of each step with EZKL's defaults: gen_settings, calibrate_settings (target resources) and compile_circuit (compileSeconds), gen_srs (a development string made here), setup (keySeconds); then in a process of its own gen_witness, prove and verify, which read their files each time. peakMiB: of that process, keyPeakMiB: of the one before. ours: of the same ONNX file, calibration and input, compileSeconds from nothing with powers of tau and keys; proveSeconds: median of six runs, three before EZKL's and three after, of haca-prover prove, which starts and reads the key each time and verifies its proof, without the witness (warmProveSeconds: with the key in memory, peakMiB: then); ratio: EZKL's prove over proveSeconds. relativeRms: the first output of ten samples against the float model. A model that EZKL cannot prove, or not within --ezkl-seconds, has proved 0 and its reason in runs. Both had the machine to themselves only if nothing else ran: loadAverage is that of the minute before.";

type Figures = Record<string, number>;

export async function benchZkml(options: EzklOptions): Promise<void> {
  const prover = findNativeProver({ setting: process.env.HACA_PROVER });
  const beside = readEzklOptions({ options, prover, exports: exportsFolder() });
  const folder = mkdtempSync(join(tmpdir(), "haca-bench-zkml-"));
  try {
    const digits = await measureDigits(folder);
    const sized = await measureSized({ folder, prover });
    const exported = await measureExported(folder);
    const ezkl = await measureBesideEzkl({ task: beside, folder });
    const figures: Figures = {
      ...digits.figures,
      ...sized,
      ...exported.figures,
      ...ezkl.figures,
    };
    console.log(
      formatTable({
        columns: ["figure", "value"],
        rows: Object.entries(figures).map(([key, value]) => [key, String(value)]),
      }),
    );
    const path = join(PROJECT_ROOT, "bench", "out", "zkml.json");
    mkdirSync(join(path, ".."), { recursive: true });
    const report = {
      figures,
      details: {
        how: "compileSeconds: from nothing, development powers of tau included, in a process of its own but for digits; keySeconds: of that, the keys. Digits: witness, proof (by snarkjs in this process, keys in memory) and verification are medians over test images. Other models have weights by chance (their size does not depend on what they learnt); proveSeconds: warm, by the native prover; peakMiB: of the compiler, or of the prover while it proves. relu.constraints: constraints of digits that read a digit of a ReLU, for each. mlp784x64x10salted: with a hidden input. mlp1.8m: 784-1024-1024-10; mlp2m: 784, 20 layers of 300, 10.",
        prover: proverName(prover),
        samples: digits.samples,
        exports: exported.results,
        ...(beside === undefined ? {} : { ezkl: { how: EZKL_HOW, runs: ezkl.runs } }),
        versions: {
          node: process.version,
          snarkjs: "0.7.6",
          ...(beside === undefined ? {} : { ezkl: beside.ezkl.version }),
        },
        machine: { cpu: cpus()[0]?.model, cores: cpus().length },
        date: new Date().toISOString(),
      },
    };
    writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
    console.log(`\nwritten to ${path}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await releaseCurve();
  }
}

async function measureDigits(
  folder: string,
): Promise<{ figures: Figures; samples: Record<string, number[]> }> {
  const source = (file: string) => join(PROJECT_ROOT, "models", "digits", file);
  const test = readSamples(source("test.json"));
  const build = {
    onnx: readFileSync(source("digits.onnx")),
    name: "digits",
    calibration: readSamples(source("calibration.json")).inputs,
    test,
    out: join(folder, "digits"),
    ptauFolder: join(folder, "ptau"),
    onProgress: (line: string) => console.log(line),
  };
  const compile = await timed(() => compileModel(build));
  const cached = await timed(() => compileModel(build));
  const { manifest } = compile.result;
  const { statistics } = manifest;
  const path = (file: keyof Manifest["files"]) => join(build.out, manifest.files[file]);
  const { bytes, samples } = await measureProofs({ folder: build.out, images: test.inputs });
  return {
    figures: {
      "digits.parameters": statistics.parameters,
      "digits.activations": statistics.activations,
      "digits.constraints": statistics.constraints,
      "relu.constraints": round(
        countReluConstraints({ r1cs: path("r1cs"), symbols: path("symbols") }) /
          statistics.activations,
      ),
      "digits.nonZeros": statistics.nonZeros,
      "digits.publicSignals": statistics.publicSignals,
      "digits.accuracyFloat": statistics.floatAccuracy ?? Number.NaN,
      "digits.accuracyQuantised": statistics.quantisedAccuracy ?? Number.NaN,
      "digits.compileSeconds": round(compile.ms / 1000),
      "digits.compileCachedSeconds": round(cached.ms / 1000),
      "digits.witnessMs": median(samples.witnessMs),
      "digits.proveMs": median(samples.proveMs),
      "digits.verifyMs": median(samples.verifyMs),
      "digits.proofBytes": bytes.proof,
      "digits.verifyingKeyBytes": bytes.verifyingKey,
      "digits.zkeyBytes": statSync(path("zkey")).size,
      "digits.r1csBytes": statSync(path("r1cs")).size,
      "digits.planBytes": statSync(path("plan")).size,
    },
    samples,
  };
}

/** Witness, proof and verification of some images, one by one; the first, which warms caches, is not counted. */
async function measureProofs(parameters: { folder: string; images: number[][] }): Promise<{
  bytes: { proof: number; verifyingKey: number };
  samples: { witnessMs: number[]; proveMs: number[]; verifyMs: number[] };
}> {
  const { manifest, integerModel } = await loadModel(parameters);
  const read = (file: keyof Manifest["files"]) =>
    readFileSync(join(parameters.folder, manifest.files[file]));
  const plan = decodeWitnessPlan(read("plan"));
  const zkey: SnarkFile = { type: "mem", data: read("zkey") };
  const key = JSON.parse(read("verificationKey").toString("utf8"));
  const samples = { witnessMs: [] as number[], proveMs: [] as number[], verifyMs: [] as number[] };
  for (const [index, values] of parameters.images.slice(0, PROOFS + 1).entries()) {
    const input = quantiseInput({ manifest, values });
    const outputs = runIntegerModel({ integerModel, input });
    const { signals } = circuitInput({ manifest, input, outputs, context: BigInt(index) });
    const calculated = await timed(async () => wtnsFile(computeWitness({ plan, signals })));
    const witness: SnarkFile = { type: "mem", data: calculated.result };
    const proven = await timed(() => groth16.prove(zkey, witness));
    const { proof, publicSignals } = proven.result;
    const verified = await timed(() => groth16.verify(key, publicSignals, proof));
    if (!verified.result) {
      throw new Error(`the proof of image ${index} does not verify`);
    }
    if (index > 0) {
      samples.witnessMs.push(round(calculated.ms));
      samples.proveMs.push(round(proven.ms));
      samples.verifyMs.push(round(verified.ms));
    }
  }
  // on-chain formats: A, B, C; alpha1, beta2, gamma2, delta2, IC
  return {
    bytes: { proof: 64 + 128 + 64, verifyingKey: 64 + 3 * 128 + 64 * key.IC.length },
    samples,
  };
}

/** Models of several sizes. Without the native prover their keys would take minutes to hours, and are left out. */
async function measureSized(parameters: {
  folder: string;
  prover: string | undefined;
}): Promise<Figures> {
  const { folder, prover } = parameters;
  if (prover === undefined) {
    console.log(
      "models of several sizes are left out: npm run build:prover makes their keys possible",
    );
    return {};
  }
  const figures: Figures = {};
  for (const model of SIZED_MODELS) {
    Object.assign(
      figures,
      await measureModel({ model, folder, prover, onProgress: (line) => console.log(line) }),
    );
  }
  return figures;
}

/** The same models by us and by EZKL, where `--ezkl` asks for it. */
async function measureBesideEzkl(parameters: {
  task: EzklTask | undefined;
  folder: string;
}): Promise<{ figures: Figures; runs: Record<string, EzklRun & { loadAverage?: number }> }> {
  const { task, folder } = parameters;
  const figures: Figures = {};
  const runs: Record<string, EzklRun & { loadAverage?: number }> = {};
  for (const model of task?.models ?? []) {
    const loadAverage = round(loadavg()[0] ?? Number.NaN);
    const measured = await measureEzkl({
      ...{ ...(task as EzklTask), model, folder },
      onProgress: (line) => console.log(line),
    });
    Object.assign(figures, measured.figures);
    runs[model.name] = { ...measured.run, loadAverage };
  }
  if (task?.exports !== undefined) {
    const tried = await proveExportsByEzkl({
      ...{ ...task, folder: task.exports, workFolder: folder },
      onProgress: (line) => console.log(line),
    });
    Object.assign(figures, tried.figures);
    for (const [name, run] of Object.entries(tried.runs)) runs[`exports.${name}`] = run;
  }
  return { figures, runs };
}

/** How many exports of the fixtures are proved within their error bound; nothing where there are no fixtures. */
async function measureExported(
  workFolder: string,
): Promise<{ figures: Figures; results: ExportResult[] }> {
  const folder = exportsFolder();
  if (folder === undefined) {
    console.log("no exports to compile: HACA_FIXTURES names no folder of fixtures");
    return { figures: {}, results: [] };
  }
  const results = await measureExports({
    folder,
    workFolder,
    onResult: ({ name, isProved, seconds, constraints, why }) =>
      console.log(
        `${name}: ${isProved ? `proved, ${constraints} constraints` : why} (${seconds} s)`,
      ),
  });
  const count = (kind: ExportResult["kind"], isProved: boolean) =>
    results.filter((one) => one.kind === kind && (one.isProved || !isProved)).length;
  return {
    results,
    figures: {
      "exports.total": count("export", false),
      "exports.proved": count("export", true),
      "probes.total": count("probe", false),
      "probes.proved": count("probe", true),
    },
  };
}

/** Constraints that read a digit of a ReLU's decomposition. */
function countReluConstraints(parameters: { r1cs: string; symbols: string }): number {
  const symbols = readSymbols(readFileSync(parameters.symbols, "utf8"));
  const digits = new Set(
    [...symbols].filter(([name]) => /^relu\d+x\d+\[/.test(name)).map(([, wire]) => wire),
  );
  return readR1cs(readFileSync(parameters.r1cs)).constraints.filter(({ a, b, c }) =>
    [...a.wires, ...b.wires, ...c.wires].some((wire) => digits.has(wire)),
  ).length;
}

async function timed<T>(run: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const start = performance.now();
  const result = await run();
  return { result, ms: performance.now() - start };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return round((low + high) / 2);
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** The native prover beside snarkjs (and rapidsnark), in one run on one machine. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { formatTable } from "../../scripts/lib/table.ts";
import { PROVER_FOLDER } from "../prover-build/runCargo.ts";
import { type Circuit, type Contestant, startHelper, startSnarkjs } from "./prover/contestants.ts";
import { figuresOf, KINDS, type Kind, round } from "./prover/figures.ts";
import { measure, median } from "./prover/measure.ts";
import { measureDigits } from "./prover/measureDigits.ts";
import { measureKeys } from "./prover/measureKeys.ts";
import { startNativeOneShots, startOneShot, verifyNatively } from "./prover/oneShot.ts";
import { programAt } from "./prover/programAt.ts";

/** Every process makes a proof of a circuit of this size before it is timed. */
const WARM_UP_LOG_SIZE = 10;
const DIGITS_RUNS = 7;

export async function benchProver(values: {
  sizes?: string;
  backend: string;
  runs: string;
  rapidsnark?: string;
}): Promise<void> {
  const onDevice = values.backend === "cuda";
  if (!onDevice && values.backend !== "cpu") {
    const message = `--backend ${values.backend}: neither cpu nor cuda`;
    throw new BaseError({ code: "bench.option", message });
  }
  const sizes = (values.sizes ?? (onDevice ? "16,18,20" : "14,16,18"))
    .split(",")
    .map((text) => wholeNumber({ name: "--sizes", text }));
  const runs = wholeNumber({ name: "--runs", text: values.runs });
  const helperProgram = built("haca-prover");
  const rapidsnark =
    values.rapidsnark === undefined
      ? undefined
      : programAt({ option: "--rapidsnark", path: values.rapidsnark });
  const folder = mkdtempSync(join(tmpdir(), "haca-bench-prover-"));
  const helper = startHelper({ program: helperProgram, backend: "cpu" });
  const device = onDevice ? startHelper({ program: helperProgram, backend: "cuda" }) : undefined;
  const oneShots =
    rapidsnark === undefined ? [] : startOneShots({ helperProgram, rapidsnark, folder });
  try {
    const figures: Record<string, number> = {};
    const samples: Record<string, unknown> = {};
    const warmUp = makeCircuit({ kind: "dense", logSize: WARM_UP_LOG_SIZE, folder });
    await helper.prove(warmUp);
    await device?.prove(warmUp);
    for (const oneShot of oneShots) await oneShot.prove(warmUp);

    console.log("digits");
    const digits = await measureDigits({ folder, helper, runs: DIGITS_RUNS });
    samples.digits = digits;
    const [witness, slow, fast] = [digits.witnessMs, digits.snarkjsMs, digits.helperMs].map(median);
    if (witness !== undefined && slow !== undefined && fast !== undefined) {
      figures["digits.witnessMs"] = round(witness);
      figures["digits.snarkjs.proveMs"] = round(slow);
      figures["digits.helper.proveMs"] = round(fast);
      figures["digits.snarkjs.totalMs"] = round(witness + slow);
      figures["digits.helper.totalMs"] = round(witness + fast);
      figures["ratio.snarkjs.digits"] = round(slow / fast);
    }

    for (const logSize of sizes) {
      for (const kind of KINDS) {
        console.log(`2^${logSize} constraints, ${kind}`);
        const circuit = makeCircuit({ kind, logSize, folder });
        const snarkjs = startSnarkjs();
        const contestants = [device ?? snarkjs, helper, ...oneShots];
        try {
          if (device === undefined) await snarkjs.prove(warmUp);
          const measured = await measure({ circuit, contestants, runs });
          samples[`${kind}.2^${logSize}`] = measured;
          Object.assign(figures, figuresOf({ measured, kind, logSize }));
        } finally {
          await snarkjs.close();
        }
        for (const path of Object.values(circuit)) rmSync(path);
      }
    }
    if (!onDevice) {
      console.log("keys");
      const testSetup = built("haca-test-setup");
      Object.assign(
        figures,
        await measureKeys({ program: helperProgram, testSetup, sizes, folder }),
      );
    }
    report({ figures, samples, runs });
  } finally {
    await helper.close();
    await device?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** rapidsnark's program, and ours of the same kind. */
function startOneShots(parameters: {
  helperProgram: string;
  rapidsnark: string;
  folder: string;
}): Contestant[] {
  const { helperProgram, rapidsnark, folder } = parameters;
  const verify = verifyNatively(helperProgram);
  return [
    ...startNativeOneShots({ program: helperProgram, folder, verify }),
    startOneShot({ name: "rapidsnark", program: rapidsnark, words: [], folder, verify }),
  ];
}

function makeCircuit(parameters: { kind: Kind; logSize: number; folder: string }): Circuit {
  const { kind, logSize, folder } = parameters;
  const prefix = join(folder, `${kind}-${logSize}`);
  execFileSync(built("haca-test-setup"), [kind, String(logSize), "1", prefix]);
  return { zkey: `${prefix}.zkey`, witness: `${prefix}.wtns` };
}

function built(name: string): string {
  const path = join(PROVER_FOLDER, "target", "release", name);
  if (existsSync(path)) return path;
  throw new BaseError({
    code: "bench.noProver",
    message: `${path} does not exist: run \`npm run build:prover\` first`,
  });
}

function report(parameters: {
  figures: Record<string, number>;
  samples: Record<string, unknown>;
  runs: number;
}): void {
  const { figures, samples, runs } = parameters;
  console.log(
    formatTable({
      columns: ["figure", "value"],
      rows: Object.entries(figures).map(([key, value]) => [key, String(value)]),
    }),
  );
  const path = join(PROJECT_ROOT, "bench", "out", "prover.json");
  mkdirSync(join(path, ".."), { recursive: true });
  const details = {
    how: `medians of ${runs} proofs each, provers taking turns on the same circuit; keys loaded and a small proof made before. snarkjs: keys and witness in memory, all cores, its proofs not verified. helper: over its protocol, reading the witness and verifying each proof included. rapidsnark and oneShot (haca-prover prove): a program started for every proof, starting and reading the key included; ours checks the key's hash, witness and proof in that time (its points once, in the first proof: --key-sha256), rapidsnark's proofs are verified outside it; ratio.rapidsnark compares these two, .plain and .adx with ours held to these instructions. Plain keys: full-size random witness; model: mostly bits. setup, contribute and ptau: milliseconds of one run of that command on a model's circuit, setup.snarkjs of zkey new on the same files. Peak memory is of the process so far, the helper keeps every key of the run; of programs, of a run of their own that is not timed.`,
    samples,
    versions: { node: process.version, snarkjs: "0.7.6" },
    machine: { cpu: cpus()[0]?.model, cores: availableParallelism() },
    date: new Date().toISOString(),
  };
  writeFileSync(path, `${JSON.stringify({ figures, details }, null, 2)}\n`);
  console.log(`\nwritten to ${path}`);
}

function wholeNumber(parameters: { name: string; text: string }): number {
  const value = Number(parameters.text);
  if (Number.isInteger(value) && value > 0 && value <= 24) return value;
  throw new BaseError({
    code: "bench.option",
    message: `${parameters.name} ${parameters.text}: not a whole number from 1 to 24`,
  });
}

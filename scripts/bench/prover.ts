/** `npm run bench:prover`: the native prover beside snarkjs (and rapidsnark), in one run on one machine. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import { reportFailure } from "../lib/reportFailure.ts";
import { formatTable } from "../lib/table.ts";
import { PROVER_FOLDER } from "../prover/runCargo.ts";
import { type Circuit, startHelper, startRapidsnark, startSnarkjs } from "./prover/contestants.ts";
import { type Measured, measure, median } from "./prover/measure.ts";
import { measureDigits } from "./prover/measureDigits.ts";

const HELP = `Times proofs by snarkjs and by the native prover; writes bench/out/prover.json.
Needs \`npm run build:prover\`.

usage: npm run bench:prover [-- --sizes 14,16,18] [--runs 3] [--rapidsnark <path>] [--backend cuda]

  --backend cuda   the CUDA device as well; sizes are 16,18,20 unless given, and snarkjs rests`;

/** dense: full-size witness, the hardest case; model: mostly bits, like circuits of models. */
const KINDS = ["dense", "model"] as const;
/** Every process makes a proof of a circuit of this size before it is timed. */
const WARM_UP_LOG_SIZE = 10;
const DIGITS_RUNS = 7;
const MEBIBYTE = 1024 * 1024;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sizes: { type: "string" },
      backend: { type: "string", default: "cpu" },
      runs: { type: "string", default: "3" },
      rapidsnark: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
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
  const folder = mkdtempSync(join(tmpdir(), "haca-bench-prover-"));
  const helper = startHelper({ program: helperProgram, backend: "cpu" });
  const device = onDevice ? startHelper({ program: helperProgram, backend: "cuda" }) : undefined;
  try {
    const figures: Record<string, number> = {};
    const samples: Record<string, unknown> = {};
    const warmUp = makeCircuit({ kind: "dense", logSize: WARM_UP_LOG_SIZE, folder });
    await helper.prove(warmUp);
    await device?.prove(warmUp);

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
        const rapidsnark = values.rapidsnark;
        const contestants = [
          ...(device === undefined ? [snarkjs] : [device]),
          helper,
          ...(rapidsnark === undefined
            ? []
            : [startRapidsnark({ program: resolve(rapidsnark), folder })]),
        ];
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
    report({ figures, samples, runs });
  } finally {
    await helper.close();
    await device?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Dense circuits have the plain keys: nothing about their witness helps. */
function figuresOf(parameters: {
  measured: readonly Measured[];
  kind: (typeof KINDS)[number];
  logSize: number;
}): Record<string, number> {
  const { measured, kind, logSize } = parameters;
  const infix = kind === "dense" ? "" : `${kind}.`;
  const helper = measured.find(({ name }) => name === "helper");
  const figures: Record<string, number> = {};
  for (const { name, proveMs, peakBytes } of measured) {
    figures[`${name}.${infix}2^${logSize}.proveMs`] = round(median(proveMs));
    if (peakBytes > 0) {
      figures[`${name}.${infix}2^${logSize}.peakMiB`] = round(peakBytes / MEBIBYTE);
    }
    if (helper !== undefined && name !== "helper") {
      // How many times faster we are than others, and the device than the CPU.
      const times = [median(proveMs), median(helper.proveMs)] as const;
      const ratio = name === "cuda" ? times[1] / times[0] : times[0] / times[1];
      figures[`ratio.${name}.${infix}2^${logSize}`] = round(ratio);
    }
  }
  return figures;
}

function makeCircuit(parameters: {
  kind: (typeof KINDS)[number];
  logSize: number;
  folder: string;
}): Circuit {
  const { kind, logSize, folder } = parameters;
  const prefix = join(folder, `${kind}-${logSize}`);
  execFileSync(built("haca-devsetup"), [kind, String(logSize), "1", prefix]);
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
    how: `medians of ${runs} proofs each, provers taking turns on the same circuit; keys loaded and a small proof made before. snarkjs: keys and witness in memory, all cores, its proofs not verified. helper: over its protocol, reading the witness and verifying each proof included. rapidsnark: its program, reading the key included. Plain keys: full-size random witness; model: mostly bits. Peak memory is of the process so far; the helper keeps every key of the run.`,
    samples,
    versions: { node: process.version, snarkjs: "0.7.6" },
    machine: { cpu: cpus()[0]?.model, cores: cpus().length },
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

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

main().catch(reportFailure);

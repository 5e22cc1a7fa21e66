import { spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { loadModel } from "@haca/model-runtime/loadModel";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { drawSalt } from "@haca/protocol/inputCommitment";
import type { Manifest } from "@haca/protocol/manifest";
import { answerInput } from "@haca/zkml/proving/answerInput";
import { round } from "../prover/figures.ts";
import { median } from "../prover/measure.ts";
import type { CompileTask } from "./compileChild.ts";
import { ended, proveWarm } from "./programs.ts";
import { type SizedModel, sampleOf } from "./sizedModels.ts";

const MEBIBYTE = 1024 * 1024;
const WITNESSES = 10;

/**
 * Compiles a model from nothing, powers of tau included, in a process of its own, and proves it warm by the native prover:
 * what each step says of its time, and the most memory that the compiler, or the prover while it proves, had.
 */
export async function measureModel(parameters: {
  model: SizedModel;
  /** for model, keys and powers of tau */
  folder: string;
  prover: string;
  onProgress: (line: string) => void;
}): Promise<Record<string, number>> {
  const { model, folder, prover, onProgress } = parameters;
  const { name, inputs, inputMode } = model;
  const file = (extension: string) => join(folder, `${name}.${extension}`);
  writeFileSync(file("onnx"), model.onnx());
  const samples = [1, 2, 3, 4].map((seed) => sampleOf(inputs, seed));
  writeFileSync(file("json"), JSON.stringify(samples));
  const out = join(folder, name);
  const started = performance.now();
  const lines = await compile({
    task: {
      ...{ onnx: file("onnx"), samples: file("json"), out, prover, inputMode },
      ptauFolder: join(folder, "ptau", name),
    },
    onProgress: (line) => onProgress(`${name}: ${line}`),
  });
  const wallSeconds = (performance.now() - started) / 1000;
  const seconds = (step: string): number => {
    const line = lines.find((one) => one.startsWith(step) && one.endsWith(" s"));
    return Number(/: ([\d.]+) s$/.exec(line ?? "")?.[1] ?? Number.NaN);
  };
  const peakBytes = 1024 * Number(/^peak (\d+)$/.exec(lines.at(-1) ?? "")?.[1] ?? 0);
  const { manifest, integerModel } = await loadModel({ folder: out });
  const path = (part: keyof Manifest["files"]) => join(out, manifest.files[part]);
  const plan = decodeWitnessPlan(readFileSync(path("plan")));
  const witnessMs = Array.from({ length: WITNESSES }, (_, index) => {
    const values = sampleOf(inputs, 10 + index);
    const salt = inputMode === "salted" ? drawSalt() : undefined;
    const context = BigInt(index);
    const { signals } = answerInput({ manifest, integerModel, values, context, salt });
    const start = performance.now();
    const bytes = wtnsFile(computeWitness({ plan, signals }));
    const ms = performance.now() - start;
    if (index === 0) writeFileSync(file("wtns"), bytes);
    return ms;
  });
  const proving = await proveWarm({ prover, zkey: path("zkey"), witness: file("wtns") });
  const { statistics } = manifest;
  return {
    [`${name}.parameters`]: statistics.parameters,
    [`${name}.activations`]: statistics.activations,
    [`${name}.constraints`]: statistics.constraints,
    [`${name}.nonZeros`]: statistics.nonZeros,
    [`${name}.compileSeconds`]: round(wallSeconds),
    [`${name}.circuitSeconds`]: round(seconds("quantise") + seconds("write and certify circuit")),
    [`${name}.ptauSeconds`]: seconds("powers of tau"),
    [`${name}.keySeconds`]: seconds("set up keys"),
    [`${name}.peakMiB`]: Math.round(Math.max(peakBytes, proving.peakBytes) / MEBIBYTE),
    [`${name}.zkeyBytes`]: statSync(path("zkey")).size,
    [`${name}.planBytes`]: statSync(path("plan")).size,
    [`witness.${name}.ms`]: round(median(witnessMs)),
    [`${name}.proveSeconds`]: Math.round(median(proving.proveMs)) / 1000,
    [`${name}.proved`]: 1,
  };
}

/** The lines of a compiler in a process of its own. */
async function compile(parameters: {
  task: CompileTask;
  onProgress: (line: string) => void;
}): Promise<string[]> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "compileChild.ts"), JSON.stringify(parameters.task)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    parameters.onProgress(line);
  });
  await ended(child, "the compiler");
  return lines;
}

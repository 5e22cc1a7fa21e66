import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";

const SCRIPT = join(import.meta.dirname, "prove_by_ezkl.py");

const keysSchema = z.object({
  version: z.string(),
  logrows: z.int(),
  inputScale: z.int(),
  paramScale: z.int(),
  provingKeyBytes: z.int(),
  verifyingKeyBytes: z.int(),
  peakMiB: z.int(),
});

const proofSchema = z.object({
  proofBytes: z.int(),
  peakMiB: z.int(),
  outputs: z.array(z.array(z.number())),
});

const lineSchema = z.union([
  z.object({ step: z.string(), seconds: z.number() }),
  z.object({ result: z.unknown() }),
]);

/** What EZKL made of a model: seconds of the steps that ended, and results, or why there are none. */
export type EzklRun = {
  seconds: Record<string, number>;
  keys?: z.infer<typeof keysSchema>;
  proof?: z.infer<typeof proofSchema>;
  /** it failed, or took longer than it may */
  why?: string;
};

/**
 * Keys and a proof of one model by EZKL, each in a process of its own, so that the memory of a proof is its own. What
 * EZKL cannot do, and what takes longer than `limitSeconds` together, is a result, not an error.
 */
export async function runEzkl(parameters: {
  python: string;
  /** with calibration.json and samples.json; keys and proof are written there */
  folder: string;
  onnx: string;
  limitSeconds: number;
  onProgress: (line: string) => void;
}): Promise<EzklRun> {
  const { limitSeconds, onProgress } = parameters;
  const seconds: EzklRun["seconds"] = {};
  const run: EzklRun = { seconds };
  const started = performance.now();
  const call = (verb: string) =>
    runScript({
      ...parameters,
      verb,
      limitMs: Math.max(1, limitSeconds * 1000 - (performance.now() - started)),
      onStep: ({ step, seconds: taken }) => {
        seconds[step] = taken;
        onProgress(`${step}: ${taken} s`);
      },
    });
  try {
    run.keys = keysSchema.parse(await call("keys"));
    run.proof = proofSchema.parse(await call("prove"));
  } catch (error) {
    if (!(error instanceof EzklFailed)) throw error;
    const last = Object.keys(seconds).at(-1);
    run.why = `${error.isOver ? `over ${limitSeconds} s` : error.message}, after ${last ?? "no step"}`;
    onProgress(run.why);
  }
  return run;
}

class EzklFailed extends BaseError {
  readonly isOver: boolean;
  constructor(parameters: { message: string; isOver: boolean }) {
    super({ code: "bench.ezkl", message: parameters.message });
    this.isOver = parameters.isOver;
  }
}

async function runScript(parameters: {
  python: string;
  verb: string;
  folder: string;
  onnx: string;
  limitMs: number;
  onStep: (step: { step: string; seconds: number }) => void;
}): Promise<unknown> {
  const { python, verb, folder, onnx, limitMs, onStep } = parameters;
  const child = spawn(python, [SCRIPT, verb, folder, onnx], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    child.kill("SIGKILL");
  }, limitMs);
  const ended = new Promise<string | undefined>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve(code === 0 ? undefined : `ended with ${signal ?? `status ${code}`}`),
    );
  });
  let result: unknown;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const read = lineSchema.parse(JSON.parse(line));
    if ("result" in read) result = read.result;
    else onStep(read);
  });
  try {
    const [failure, said] = await Promise.all([ended, text(child.stderr)]);
    if (failure === undefined) return result;
    const message = said.trim().split("\n").at(-1) || failure;
    throw new EzklFailed({ message, isOver });
  } finally {
    clearTimeout(timer);
  }
}

import { readFile, writeFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan, type WitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { BaseError } from "@haca/protocol/baseError";
import type { Groth16ProofJson, VerifyingKeyJson } from "@haca/protocol/groth16";
import { describeError, NonRetryableError, RetryableError } from "../errors.ts";
import type { CircuitSignals, Proof, ProvingModel } from "./prover.ts";
import { type MemoryFile, snarkjs } from "./snarkjs.ts";
import type { ThreadAnswer, ThreadRequest } from "./snarkjsMessages.ts";

/** Entry of the thread in which proofs are made: the event loop of the worker stays free. */

type LoadedModel = {
  zkey: Uint8Array;
  plan: WitnessPlan;
  verifyingKey: VerifyingKeyJson;
};

const models = new Map<string, LoadedModel>();

/**
 * snarkjs builds a curve for every call, with a pool of threads, unless it finds one here; a curve without
 * threads of its own is built once and stays.
 */
const curve = snarkjs.curves.getCurveFromName("bn128", { singleThread: true });

async function load({ id, zkeyPath, planPath, verifyingKey }: ProvingModel): Promise<null> {
  const [zkey, plan] = await Promise.all([readFile(zkeyPath), readFile(planPath)]);
  models.set(id, { zkey, plan: decodeWitnessPlan(plan), verifyingKey });
  return null;
}

function modelOf(id: string): LoadedModel {
  const model = models.get(id);
  if (model === undefined) {
    throw new RetryableError({
      code: "prover.modelNotLoaded",
      message: `model ${id} is not loaded`,
    });
  }
  return model;
}

/** The bytes of a .wtns file. */
function calculateWitness(
  { plan }: LoadedModel,
  signals: CircuitSignals,
): { witness: Uint8Array; witnessMs: number } {
  const started = performance.now();
  try {
    const witness = wtnsFile(computeWitness({ plan, signals }));
    return { witness, witnessMs: performance.now() - started };
  } catch (cause) {
    // Memory that could not be had, or a plan that is damaged, says nothing about the signals.
    if (!(cause instanceof BaseError) || !cause.code.startsWith("witness.")) throw cause;
    throw new NonRetryableError({
      code: "prover.witnessRefused",
      message: `the circuit refused the signals: ${describeError(cause)}`,
      cause,
    });
  }
}

async function prove(modelId: string, signals: CircuitSignals): Promise<Proof> {
  const model = modelOf(modelId);
  const { witness, witnessMs } = calculateWitness(model, signals);
  const started = performance.now();
  const file = (data: Uint8Array): MemoryFile => ({ type: "mem", data });
  const { proof, publicSignals } = await snarkjs.groth16.prove(file(model.zkey), file(witness));
  const timings = { witnessMs, proveMs: performance.now() - started };
  return { backend: "snarkjs", proof, publicSignals, timings };
}

async function writeWitness(
  modelId: string,
  signals: CircuitSignals,
  path: string,
): Promise<{ witnessMs: number }> {
  const { witness, witnessMs } = calculateWitness(modelOf(modelId), signals);
  try {
    await writeFile(path, witness);
  } catch (cause) {
    throw new RetryableError({
      code: "prover.witnessUnwritable",
      message: `the witness could not be written: ${describeError(cause)}`,
      cause,
    });
  }
  return { witnessMs };
}

async function verify(
  modelId: string,
  publicSignals: readonly string[],
  proof: Groth16ProofJson,
): Promise<boolean> {
  return await snarkjs.groth16.verify(modelOf(modelId).verifyingKey, publicSignals, proof);
}

async function answer(request: ThreadRequest): Promise<ThreadAnswer> {
  const { id } = request;
  try {
    Object.assign(globalThis, { curve_bn128: await curve });
    switch (request.kind) {
      case "load":
        return { id, kind: "done", value: await load(request.model) };
      case "prove":
        return { id, kind: "done", value: await prove(request.modelId, request.signals) };
      case "witness": {
        const { modelId, signals, path } = request;
        return { id, kind: "done", value: await writeWitness(modelId, signals, path) };
      }
      case "verify": {
        const { modelId, publicSignals, proof } = request;
        return { id, kind: "done", value: await verify(modelId, publicSignals, proof) };
      }
    }
  } catch (error) {
    const retryable = !(error instanceof NonRetryableError);
    const code =
      error instanceof NonRetryableError || error instanceof RetryableError
        ? error.code
        : "prover.failed";
    return { id, kind: "error", retryable, code, message: describeError(error) };
  }
}

// One request at a time: the curve's memory is shared by all of them.
let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (request: ThreadRequest) => {
  last = last.then(async () => parentPort?.postMessage(await answer(request)));
});

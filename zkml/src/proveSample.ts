import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { BaseError } from "@haca/protocol/baseError";
import type { Manifest } from "@haca/protocol/manifest";
import { type Groth16Proof, groth16, type VerificationKey } from "snarkjs";
import { runNativeProver } from "./setup/nativeProver.ts";
import type { Progress } from "./setup/progress.ts";

/** Any context will do; it is bound to the proof like every public signal. */
const CONTEXT = 1n;

/**
 * Makes and verifies a proof of one sample with the files that were just written. A model whose graph was misread may
 * compile and have keys, and yet have no proof: this says so before anybody registers it.
 *
 * Throws `compile.notProvable`.
 */
export async function proveSample(parameters: {
  tensors: Pick<Manifest, "input" | "outputs">;
  integerModel: IntegerModel;
  sample: readonly number[];
  /** paths of the witness plan and of the proving key */
  plan: string;
  zkey: string;
  verificationKey: VerificationKey;
  /** makes the proof, which snarkjs verifies; absent: snarkjs makes it, too */
  native?: { program: string; workFolder: string; onProgress: Progress };
}): Promise<void> {
  const { tensors, integerModel, sample, plan, zkey, verificationKey, native } = parameters;
  const fail = (why: string, cause?: unknown) =>
    new BaseError({
      code: "compile.notProvable",
      message: `the first calibration sample cannot be proved: ${why}`,
      cause,
    });
  let isValid: boolean;
  try {
    const input = quantiseInput({ manifest: tensors, values: sample });
    const outputs = runIntegerModel({ integerModel, input });
    const { signals, words } = circuitInput({
      manifest: tensors,
      input,
      outputs,
      context: CONTEXT,
    });
    const witness = computeWitness({ plan: decodeWitnessPlan(readFileSync(plan)), signals });
    const { proof, publicSignals } = await prove({ zkey, wtns: wtnsFile(witness), native });
    const expected = [...words, CONTEXT].map(String);
    if (publicSignals.join() !== expected.join()) throw fail("its public signals are others");
    isValid = await groth16.verify(verificationKey, publicSignals, proof);
  } catch (cause) {
    if (cause instanceof BaseError && cause.code === "compile.notProvable") throw cause;
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!isValid) throw fail("its proof does not verify");
}

async function prove(parameters: {
  zkey: string;
  wtns: Uint8Array;
  native: Parameters<typeof proveSample>[0]["native"];
}): Promise<{ proof: Groth16Proof; publicSignals: string[] }> {
  const { native, wtns, zkey } = parameters;
  if (native === undefined) return await groth16.prove(zkey, { type: "mem", data: wtns });
  const { onProgress, program, workFolder } = native;
  const file = (name: string) => join(workFolder, name);
  const [witness, proof, signals] = [file("sample.wtns"), file("proof.json"), file("public.json")];
  writeFileSync(witness, wtns);
  await runNativeProver({
    ...{ program, onProgress },
    parameters: ["prove", zkey, witness, proof, signals],
  });
  const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));
  return { proof: read(proof), publicSignals: read(signals) };
}

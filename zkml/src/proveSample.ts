import { readFileSync } from "node:fs";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { BaseError } from "@haca/protocol/baseError";
import type { Manifest } from "@haca/protocol/manifest";
import { groth16, type VerificationKey } from "snarkjs";

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
}): Promise<void> {
  const { tensors, integerModel, sample, plan, zkey, verificationKey } = parameters;
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
    const { proof, publicSignals } = await groth16.prove(zkey, {
      type: "mem",
      data: wtnsFile(witness),
    });
    const expected = [...words, CONTEXT].map(String);
    if (publicSignals.join() !== expected.join()) throw fail("its public signals are others");
    isValid = await groth16.verify(verificationKey, publicSignals, proof);
  } catch (cause) {
    if (cause instanceof BaseError && cause.code === "compile.notProvable") throw cause;
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!isValid) throw fail("its proof does not verify");
}

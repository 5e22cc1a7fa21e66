import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { BaseError } from "@haca/protocol/baseError";
import { drawSalt } from "@haca/protocol/inputCommitment";
import type { Manifest } from "@haca/protocol/manifest";
import { groth16, type VerificationKey } from "snarkjs";
import { answerInput } from "./proving/answerInput.ts";
import { makeProof, makeWitness, type NativeProver } from "./proving/makeProof.ts";

/** Any context will do; it is bound to the proof like every public signal. */
const CONTEXT = 1n;

/**
 * Makes and verifies a proof of one sample with the files that were just written. A model whose graph was misread may
 * compile and have keys, and yet have no proof: this says so before anybody registers it.
 *
 * Throws `compile.notProvable`.
 */
export async function proveSample(parameters: {
  tensors: Pick<Manifest, "input" | "outputs" | "inputMode">;
  integerModel: IntegerModel;
  sample: readonly number[];
  /** paths of the witness plan and of the proving key */
  plan: string;
  zkey: string;
  verificationKey: VerificationKey;
  /** makes the proof, which snarkjs verifies; absent: snarkjs makes it, too */
  native?: NativeProver;
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
    const answer = answerInput({
      manifest: tensors,
      integerModel,
      values: sample,
      context: CONTEXT,
      ...(tensors.inputMode === "salted" ? { salt: drawSalt() } : {}),
    });
    const wtns = makeWitness({ plan, signals: answer.signals });
    const { proof, publicSignals } = await makeProof({ zkey, wtns, native });
    if (publicSignals.join() !== answer.publicSignals.join()) {
      throw fail("its public signals are others");
    }
    isValid = await groth16.verify(verificationKey, publicSignals, proof);
  } catch (cause) {
    if (cause instanceof BaseError && cause.code === "compile.notProvable") throw cause;
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!isValid) throw fail("its proof does not verify");
}

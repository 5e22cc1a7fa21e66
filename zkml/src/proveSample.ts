import { readFileSync } from "node:fs";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import type { IntegerModel } from "@haca/model-runtime/integerModel";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { BaseError } from "@haca/protocol/baseError";
import type { Manifest } from "@haca/protocol/manifest";
import { groth16, type VerificationKey } from "snarkjs";

/** Any context will do. */
const CONTEXT = 1n;

/**
 * Proves one sample with the files that were just made, and verifies the proof: what a compiled model is for. The sample
 * has elements at both ends of the input's range, in turn.
 *
 * Throws `compile.sampleUnproved`, with what stood in the way.
 */
export async function proveSample(parameters: {
  integerModel: IntegerModel;
  tensors: Pick<Manifest, "input" | "outputs">;
  verificationKey: VerificationKey;
  /** paths */
  wasm: string;
  zkey: string;
}): Promise<void> {
  const { integerModel, tensors, verificationKey, wasm, zkey } = parameters;
  const { layout, minimum, maximum } = tensors.input;
  const input = Array.from({ length: layout.count }, (_, index) =>
    BigInt(index % 2 === 0 ? maximum : minimum),
  );
  try {
    const outputs = runIntegerModel({ integerModel, input });
    const sample = circuitInput({ manifest: tensors, input, outputs, context: CONTEXT });
    const program = { type: "mem" as const, data: readFileSync(wasm) };
    const { proof, publicSignals } = await groth16.fullProve(sample.signals, program, zkey);
    if (publicSignals.join() !== [...sample.words, CONTEXT].join()) {
      throw new Error("the proof shows other words than the integer model computes");
    }
    if (!(await groth16.verify(verificationKey, publicSignals, proof))) {
      throw new Error("the proof does not verify");
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new BaseError({
      code: "compile.sampleUnproved",
      message: `the model compiles, but no result of it could be proved: ${reason}`,
      cause,
    });
  }
}

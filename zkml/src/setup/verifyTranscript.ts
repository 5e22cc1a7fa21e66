import { BaseError } from "@haca/protocol/baseError";
import { zKey } from "snarkjs";
import { type KeyTranscript, readKeyTranscript, requireContribution } from "./keyTranscript.ts";
import { runNativeProver } from "./nativeProver.ts";
import type { Progress } from "./progress.ts";
import { fileInMemory } from "./snarkjsResources.ts";

/**
 * Verifies that a proving key follows from a circuit and powers of tau through every contribution, of which there is one
 * at least. Throws `setup.failed` with the reason, and what `readKeyTranscript` throws.
 */
export async function verifyTranscript(parameters: {
  r1cs: string;
  ptau: string;
  zkey: string;
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
}): Promise<KeyTranscript> {
  const { r1cs, ptau, zkey, prover, onProgress } = parameters;
  const transcript = readKeyTranscript(zkey);
  if (prover === undefined) {
    // snarkjs has nothing against a key without any
    requireContribution(transcript);
    await verifyBySnarkjs({ r1cs, ptau, zkey });
  } else {
    await runNativeProver({
      ...{ program: prover, onProgress },
      parameters: ["verify-key", r1cs, ptau, zkey],
    });
  }
  return transcript;
}

async function verifyBySnarkjs(files: { r1cs: string; ptau: string; zkey: string }): Promise<void> {
  const fail = (message: string, cause?: unknown) =>
    new BaseError({ code: "setup.failed", message, cause });
  let isValid: boolean;
  try {
    // a copy in memory: snarkjs leaves files open
    isValid = await zKey.verifyFromR1cs(
      ...([files.r1cs, files.ptau, files.zkey].map(fileInMemory) as [string, string, string]),
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fail(`snarkjs cannot read it: ${reason.split("\n")[0]}`, cause);
  }
  if (!isValid) throw fail("snarkjs says that it is not valid");
}

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { requireSoundVerifyingKey } from "@haca/protocol/verifyingKey";
import { type VerificationKey, zKey } from "snarkjs";
import { BEACON_ITERATIONS, keyMaker } from "./keyMaker.ts";
import type { Progress } from "./progress.ts";
import { fileInMemory } from "./snarkjsResources.ts";
import { verifyTranscript } from "./verifyTranscript.ts";

/** Name of the contributions. */
const CONTRIBUTOR = "zkml compile";

/**
 * Groth16 setup, phase 2: a key from the circuit and the powers of tau, one contribution, a beacon. The result is
 * verified against circuit and powers of tau before it is returned. Made by the native prover or by snarkjs, which
 * make the same of the same secrets.
 *
 * Throws `setup.failed` for a key that does not verify and `verifyingKey.*` for one that shows that anybody could
 * forge proofs under it, such as a key without a contribution.
 */
export async function setUpKeys(parameters: {
  r1cs: string;
  ptau: string;
  /** folder for intermediate keys */
  workFolder: string;
  /** path of the key to write */
  zkey: string;
  /** 32 bytes of hex that nobody could know before; default: the hash of the contributed key */
  beacon?: string;
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress?: Progress;
}): Promise<{ verificationKey: VerificationKey; beacon: string }> {
  const { r1cs, ptau, workFolder, zkey } = parameters;
  const initial = join(workFolder, "initial.zkey");
  const contributed = join(workFolder, "contributed.zkey");
  const native = parameters.prover === undefined ? {} : { prover: parameters.prover };
  const onProgress = parameters.onProgress ?? (() => {});
  const { first, contribute, addBeacon } = keyMaker({ ...native, onProgress });
  await first({ r1cs, ptau, to: initial });
  await contribute({ from: initial, to: contributed, name: CONTRIBUTOR });
  const beacon =
    parameters.beacon ?? createHash("sha256").update(readFileSync(contributed)).digest("hex");
  await addBeacon({
    ...{ from: contributed, to: zkey, name: CONTRIBUTOR },
    ...{ beacon, iterations: BEACON_ITERATIONS },
  });
  if (parameters.prover === undefined) await verifyFromFirst({ ptau, initial, zkey });
  else await verifyTranscript({ r1cs, ptau, zkey, ...native, onProgress });
  const verificationKey = await zKey.exportVerificationKey(zkey);
  requireSoundVerifyingKey(verificationKey);
  return { verificationKey, beacon };
}

/** `initial` was made from this very circuit: together that is what `snarkjs zkey verify` does, in half the time. */
async function verifyFromFirst(files: {
  ptau: string;
  initial: string;
  zkey: string;
}): Promise<void> {
  if (await zKey.verifyFromInit(files.initial, fileInMemory(files.ptau), files.zkey)) return;
  throw new BaseError({ code: "setup.failed", message: "the proving key does not verify" });
}

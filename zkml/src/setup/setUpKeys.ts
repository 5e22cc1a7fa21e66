import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { requireSoundVerifyingKey } from "@haca/protocol/verifyingKey";
import { type VerificationKey, zKey } from "snarkjs";
import { fileInMemory } from "./snarkjsResources.ts";

/** The beacon is hashed 2^10 times. */
const BEACON_ITERATIONS = 10;

/**
 * Groth16 setup, phase 2: a key from the circuit and the powers of tau, one contribution, a beacon. The result is
 * verified against circuit and powers of tau before it is returned.
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
}): Promise<{ verificationKey: VerificationKey; beacon: string }> {
  const { r1cs, ptau, workFolder, zkey } = parameters;
  const initial = join(workFolder, "initial.zkey");
  const contributed = join(workFolder, "contributed.zkey");
  if ((await zKey.newZKey(r1cs, ptau, initial)) === -1) {
    throw new BaseError({ code: "setup.failed", message: `${ptau} does not fit the circuit` });
  }
  const entropy = randomBytes(32).toString("hex");
  await zKey.contribute(initial, contributed, "zkml compile", entropy);
  const beacon =
    parameters.beacon ?? createHash("sha256").update(readFileSync(contributed)).digest("hex");
  await zKey.beacon(contributed, zkey, "zkml compile", beacon, BEACON_ITERATIONS);
  // `initial` was made above from this very circuit: together the two calls are what `zkey verify` does
  if (!(await zKey.verifyFromInit(initial, fileInMemory(ptau), zkey))) {
    throw new BaseError({ code: "setup.failed", message: "the proving key does not verify" });
  }
  const verificationKey = await zKey.exportVerificationKey(zkey);
  requireSoundVerifyingKey(verificationKey);
  return { verificationKey, beacon };
}

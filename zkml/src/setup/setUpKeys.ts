import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { requireSoundVerifyingKey } from "@haca/protocol/verifyingKey";
import { type VerificationKey, zKey } from "snarkjs";
import { runNativeProver } from "./nativeProver.ts";
import type { Progress } from "./progress.ts";
import { fileInMemory } from "./snarkjsResources.ts";

/** The beacon is hashed 2^10 times. */
const BEACON_ITERATIONS = 10;

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
  const { r1cs, ptau, workFolder, zkey, prover } = parameters;
  const initial = join(workFolder, "initial.zkey");
  const contributed = join(workFolder, "contributed.zkey");
  const { first, contribute, addBeacon, verify } =
    prover === undefined
      ? bySnarkjs
      : natively({ program: prover, onProgress: parameters.onProgress ?? (() => {}) });
  await first({ r1cs, ptau, initial });
  await contribute({ initial, contributed });
  const beacon =
    parameters.beacon ?? createHash("sha256").update(readFileSync(contributed)).digest("hex");
  await addBeacon({ contributed, zkey, beacon });
  await verify({ r1cs, ptau, initial, zkey });
  const verificationKey = await zKey.exportVerificationKey(zkey);
  requireSoundVerifyingKey(verificationKey);
  return { verificationKey, beacon };
}

/** The steps; every value is a path, but for the beacon. */
type KeyMaker = {
  first: (files: { r1cs: string; ptau: string; initial: string }) => Promise<unknown>;
  contribute: (files: { initial: string; contributed: string }) => Promise<unknown>;
  addBeacon: (files: { contributed: string; zkey: string; beacon: string }) => Promise<unknown>;
  verify: (files: {
    r1cs: string;
    ptau: string;
    initial: string;
    zkey: string;
  }) => Promise<unknown>;
};

const bySnarkjs: KeyMaker = {
  first: async ({ r1cs, ptau, initial }) => {
    if ((await zKey.newZKey(r1cs, ptau, initial)) === -1) {
      throw new BaseError({ code: "setup.failed", message: `${ptau} does not fit the circuit` });
    }
  },
  contribute: ({ initial, contributed }) =>
    zKey.contribute(initial, contributed, CONTRIBUTOR, randomBytes(32).toString("hex")),
  addBeacon: ({ contributed, zkey, beacon }) =>
    zKey.beacon(contributed, zkey, CONTRIBUTOR, beacon, BEACON_ITERATIONS),
  verify: async ({ ptau, initial, zkey }) => {
    // `initial` was made above from this very circuit: together the two calls are what `zkey verify` does
    if (!(await zKey.verifyFromInit(initial, fileInMemory(ptau), zkey))) {
      throw new BaseError({ code: "setup.failed", message: "the proving key does not verify" });
    }
  },
};

function natively(native: { program: string; onProgress: Progress }): KeyMaker {
  const run = (...parameters: string[]) => runNativeProver({ ...native, parameters });
  return {
    first: ({ r1cs, ptau, initial }) => run("setup", r1cs, ptau, initial),
    contribute: ({ initial, contributed }) =>
      run("contribute", initial, contributed, "--name", CONTRIBUTOR),
    addBeacon: ({ contributed, zkey, beacon }) =>
      run("beacon", contributed, zkey, beacon, String(BEACON_ITERATIONS), "--name", CONTRIBUTOR),
    verify: ({ r1cs, ptau, zkey }) => run("verify-key", r1cs, ptau, zkey),
  };
}

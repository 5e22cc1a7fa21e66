import { createHash, randomBytes } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import { zKey } from "snarkjs";
import { runNativeProver } from "./nativeProver.ts";
import type { Progress } from "./progress.ts";

/** A beacon is hashed 2^10 times, unless it is said otherwise. */
export const BEACON_ITERATIONS = 10;

/** The steps of phase 2; files are paths, `to` is written. */
export type KeyMaker = {
  /** the key that follows from circuit and powers of tau alone: anyone can forge proofs with it */
  first: (step: { r1cs: string; ptau: string; to: string }) => Promise<unknown>;
  /** a secret that is drawn and forgotten; `entropy` is mixed into the system's randomness */
  contribute: (step: {
    from: string;
    to: string;
    name: string;
    entropy?: Uint8Array;
  }) => Promise<unknown>;
  /** randomness that everybody knows, in hex, hashed 2^iterations times */
  addBeacon: (step: {
    from: string;
    to: string;
    name: string;
    beacon: string;
    iterations: number;
  }) => Promise<unknown>;
};

/** The native prover or snarkjs, which make the same of the same secrets. Throws `setup.failed`. */
export function keyMaker(parameters: {
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
}): KeyMaker {
  const { prover, onProgress } = parameters;
  return prover === undefined ? bySnarkjs : natively({ program: prover, onProgress });
}

const bySnarkjs: KeyMaker = {
  first: async ({ r1cs, ptau, to }) => {
    if ((await zKey.newZKey(r1cs, ptau, to)) === -1) {
      throw new BaseError({ code: "setup.failed", message: `${ptau} does not fit the circuit` });
    }
  },
  contribute: ({ from, to, name, entropy }) => zKey.contribute(from, to, name, mix(entropy)),
  addBeacon: ({ from, to, name, beacon, iterations }) =>
    zKey.beacon(from, to, name, beacon, iterations),
};

function natively(native: { program: string; onProgress: Progress }): KeyMaker {
  const run = (...parameters: string[]) => runNativeProver({ ...native, parameters });
  const runWith = (input: string, ...parameters: string[]) =>
    runNativeProver({ ...native, parameters, input });
  return {
    first: ({ r1cs, ptau, to }) => run("setup", r1cs, ptau, to),
    // as one word each, so that no name is taken for an option
    contribute: ({ from, to, name, entropy }) =>
      runWith(mix(entropy), "contribute", from, to, `--name=${name}`, "--entropy-from=-"),
    addBeacon: ({ from, to, name, beacon, iterations }) =>
      run("beacon", from, to, beacon, String(iterations), `--name=${name}`),
  };
}

/** A text from which nobody learns the entropy: the system's randomness is in it, too. */
function mix(entropy: Uint8Array = new Uint8Array()): string {
  return createHash("sha512").update(randomBytes(64)).update(entropy).digest("hex");
}

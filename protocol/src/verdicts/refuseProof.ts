import { dataLength, getBytes } from "ethers";
import { BaseError } from "../baseError.ts";
import {
  isOne,
  type KeyPoints,
  PROOF_LENGTH,
  productOf,
  publicPoint,
  readKeyPoints,
  readProofPoints,
} from "../groth16Points.ts";
import { SIGNAL_LIMIT } from "../scalarField.ts";

/** Why `Groth16` refuses a proof. */
export type Groth16Refusal =
  `Groth16_${"ProofInvalid" | "ProofLengthInvalid" | "ProofPointInvalid" | "PublicSignalOutOfRange"}`;

/**
 * What is wrong with a proof, by the contract's error; nothing if it holds. The contract's order: length, signals, points,
 * equation. `encodeProof` makes the bytes of what snarkjs wrote.
 */
export function refuseProof(parameters: {
  key: KeyPoints;
  proof: string;
  /** as many as the key has, the context last */
  signals: readonly bigint[];
}): Groth16Refusal | undefined {
  const { key, proof, signals } = parameters;
  if (dataLength(proof) !== PROOF_LENGTH) return "Groth16_ProofLengthInvalid";
  if (!signals.every((signal) => signal < SIGNAL_LIMIT)) return "Groth16_PublicSignalOutOfRange";
  if (signals.length + 1 !== key.ic.length) {
    throw new BaseError({
      code: "verdict.signalCount",
      message: `the key is for ${key.ic.length - 1} signals, got ${signals.length}`,
    });
  }
  const points = tryReadProof(proof);
  if (points === undefined) return "Groth16_ProofPointInvalid";
  const { a, b, c } = points;
  const product = productOf([
    [a.negate(), b],
    [key.alpha, key.beta],
    [publicPoint(key, signals), key.gamma],
    [c, key.delta],
  ]);
  return isOne(product) ? undefined : "Groth16_ProofInvalid";
}

/** The key that was read last: results come in rows of one version. */
let last: { key: string; read: KeyPoints } | undefined;

/** Reads a verifying key as the registry stores it. Error: `verdict.keyMalformed`; the registry keeps no such key. */
export function readKey(key: string): KeyPoints {
  if (last?.key !== key) last = { key, read: readPoints(key) };
  return last.read;
}

function readPoints(key: string): KeyPoints {
  try {
    return readKeyPoints(getBytes(key));
  } catch (cause) {
    throw new BaseError({
      code: "verdict.keyMalformed",
      message: "the verifying key is no key as the model registry keeps it",
      cause,
    });
  }
}

function tryReadProof(proof: string): ReturnType<typeof readProofPoints> | undefined {
  try {
    return readProofPoints(getBytes(proof));
  } catch {
    return undefined;
  }
}

import {
  isOne,
  type KeyPoints,
  PROOF_LENGTH,
  productOf,
  publicPoint,
  readKeyPoints,
  readProofPoints,
} from "@haca/protocol/groth16Points";
import { SIGNAL_LIMIT } from "@haca/protocol/scalarField";
import { keccak, lengthOf, toBytes } from "./bytes.ts";
import type { ProofClaim } from "./proofClaim.ts";

/** A claim whose parts were looked at. */
export type ReadClaim = {
  key: ReadKey;
  points: ReturnType<typeof readProofPoints>;
  signals: readonly bigint[];
};

type ReadKey = Pick<KeyPoints, "gamma" | "delta" | "ic"> & {
  /** e(alpha, beta), which no proof changes */
  alphaBeta: ReturnType<typeof productOf>;
};

/** Keys that were read, by their hashes; the oldest goes. */
const keys = new Map<string, ReadKey>();
const KEPT_KEYS = 8;

/**
 * Whether a Groth16 proof on BN254 holds for these signals, as `Groth16` of the contracts checks it. Throws for a proof or key of
 * another length, points that are not on the curve or not in the subgroup, and signals that are not below the group's order.
 */
export function isProof(claim: ProofClaim): boolean {
  const { key, points, signals } = readClaim(claim);
  const { a, b, c } = points;
  const others = productOf([
    [a.negate(), b],
    [publicPoint(key, signals), key.gamma],
    [c, key.delta],
  ]);
  return isOne(others, key.alphaBeta);
}

/** Throws where `isProof` does. */
export function readClaim({ verifyingKey, proof, signals }: ProofClaim): ReadClaim {
  if (lengthOf(proof) !== PROOF_LENGTH) throw new Error(`a proof has ${PROOF_LENGTH} bytes`);
  if (!signals.every((signal) => signal >= 0n && signal < SIGNAL_LIMIT)) {
    throw new Error("a signal is not below the group's order");
  }
  const key = readKey(verifyingKey);
  if (signals.length + 1 !== key.ic.length) {
    throw new Error(`the key is for ${key.ic.length - 1} signals, there are ${signals.length}`);
  }
  return { key, points: readProofPoints(toBytes(proof)), signals };
}

function readKey(verifyingKey: string): ReadKey {
  const hash = keccak(verifyingKey);
  const known = keys.get(hash);
  if (known !== undefined) return known;
  const { alpha, beta, ...rest } = readKeyPoints(toBytes(verifyingKey));
  const read: ReadKey = { ...rest, alphaBeta: productOf([[alpha, beta]]) };
  for (const oldest of keys.keys()) {
    if (keys.size < KEPT_KEYS) break;
    keys.delete(oldest);
  }
  keys.set(hash, read);
  return read;
}

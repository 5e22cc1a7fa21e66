import { bn254 } from "@noble/curves/bn254";
import { keccak, lengthOf, toBytes } from "./bytes.ts";

/** `alpha (64) | beta (128) | gamma (128) | delta (128)`, then the IC points. */
const KEY_HEAD_LENGTH = 448;
const G1_LENGTH = 64;
/** `A (64) | B (128) | C (64)` */
const PROOF_LENGTH = 256;

const G1 = bn254.G1.ProjectivePoint;
const G2 = bn254.G2.ProjectivePoint;
const { Fp, Fp2, Fp12, Fr } = bn254.fields;
type G1Point = typeof G1.BASE;
type G2Point = typeof G2.BASE;
type Fp12Element = ReturnType<typeof bn254.pairing>;

type ReadKey = {
  gamma: G2Point;
  delta: G2Point;
  ic: readonly G1Point[];
  /** e(alpha, beta), which no proof changes */
  alphaBeta: Fp12Element;
};

/** Keys that were read, by their hashes; the oldest goes. */
const keys = new Map<string, ReadKey>();
const KEPT_KEYS = 8;

/**
 * Whether a Groth16 proof on BN254 holds for these signals, as `Groth16` of the contracts checks it. Throws for a proof or key of
 * another length, points that are not on the curve or not in the subgroup, and signals that are not below the group's order.
 */
export function isProof(parameters: {
  /** as the model registry keeps it */
  verifyingKey: string;
  proof: string;
  /** as many as the key has, the context last */
  signals: readonly bigint[];
}): boolean {
  const { verifyingKey, proof, signals } = parameters;
  if (lengthOf(proof) !== PROOF_LENGTH) throw new Error(`a proof has ${PROOF_LENGTH} bytes`);
  if (!signals.every((signal) => signal >= 0n && signal < Fr.ORDER)) {
    throw new Error("a signal is not below the group's order");
  }
  const key = readKey(verifyingKey);
  if (signals.length + 1 !== key.ic.length) {
    throw new Error(`the key is for ${key.ic.length - 1} signals, there are ${signals.length}`);
  }
  const bytes = toBytes(proof);
  const [a, b, c] = [readG1(bytes, 0), readG2(bytes, 64), readG1(bytes, 192)];
  // Of a negated zero the contract's precompile sees a coordinate that is too large.
  if (a.equals(G1.ZERO)) throw new Error("A is zero");
  const others = productOf([
    [a.negate(), b],
    [publicPoint(key, signals), key.gamma],
    [c, key.delta],
  ]);
  return Fp12.eql(Fp12.mul(others, key.alphaBeta), Fp12.ONE);
}

function readKey(verifyingKey: string): ReadKey {
  const hash = keccak(verifyingKey);
  const known = keys.get(hash);
  if (known !== undefined) return known;
  const icLength = lengthOf(verifyingKey) - KEY_HEAD_LENGTH;
  if (icLength < G1_LENGTH || icLength % G1_LENGTH !== 0) {
    throw new Error("the verifying key has another length than any key");
  }
  const bytes = toBytes(verifyingKey);
  const read: ReadKey = {
    gamma: readG2(bytes, 192),
    delta: readG2(bytes, 320),
    ic: Array.from({ length: icLength / G1_LENGTH }, (_, index) =>
      readG1(bytes, KEY_HEAD_LENGTH + G1_LENGTH * index),
    ),
    alphaBeta: productOf([[readG1(bytes, 0), readG2(bytes, 64)]]),
  };
  for (const oldest of keys.keys()) {
    if (keys.size < KEPT_KEYS) break;
    keys.delete(oldest);
  }
  keys.set(hash, read);
  return read;
}

/** EIP-196: x | y, zeros for the point at infinity. */
function readG1(bytes: Uint8Array, offset: number): G1Point {
  const [x, y] = [readCoordinate(bytes, offset), readCoordinate(bytes, offset + 32)];
  if (x === 0n && y === 0n) return G1.ZERO;
  const point = G1.fromAffine({ x, y });
  point.assertValidity();
  return point;
}

/** EIP-197: imaginary parts first. */
function readG2(bytes: Uint8Array, offset: number): G2Point {
  const at = (place: number): bigint => readCoordinate(bytes, offset + 32 * place);
  const x = Fp2.fromBigTuple([at(1), at(0)]);
  const y = Fp2.fromBigTuple([at(3), at(2)]);
  if (Fp2.is0(x) && Fp2.is0(y)) return G2.ZERO;
  const point = G2.fromAffine({ x, y });
  point.assertValidity();
  return point;
}

function readCoordinate(bytes: Uint8Array, offset: number): bigint {
  const word = bytes.subarray(offset, offset + 32);
  const value = word.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  if (value >= Fp.ORDER) throw new Error("a coordinate is not below the field's order");
  return value;
}

/** L = IC[0] + s[1] IC[1] + ... + s[n] IC[n], all products at once. */
const publicPoint = ({ ic }: ReadKey, signals: readonly bigint[]): G1Point =>
  G1.msm([...ic], [1n, ...signals]);

/** Pairs with a zero in them are one, and the library takes none. */
function productOf(pairs: readonly (readonly [G1Point, G2Point])[]): Fp12Element {
  const others = pairs
    .filter(([g1, g2]) => !g1.equals(G1.ZERO) && !g2.equals(G2.ZERO))
    .map(([g1, g2]) => ({ g1, g2 }));
  return others.length === 0 ? Fp12.ONE : bn254.pairingBatch(others);
}

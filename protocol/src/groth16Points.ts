import { bn254 } from "@noble/curves/bn254";

/** `A (64) | B (128) | C (64)` */
export const PROOF_LENGTH = 256;
/** `alpha (64) | beta (128) | gamma (128) | delta (128)`, then the IC points. */
const KEY_HEAD_LENGTH = 448;
const G1_LENGTH = 64;

const G1 = bn254.G1.ProjectivePoint;
const G2 = bn254.G2.ProjectivePoint;
const { Fp, Fp2, Fp12, Fr } = bn254.fields;
export type G1Point = typeof G1.BASE;
export type G2Point = typeof G2.BASE;
type Fp12Element = ReturnType<typeof bn254.pairing>;

/** The points of a verifying key, as the model registry stores it. */
export type KeyPoints = {
  alpha: G1Point;
  beta: G2Point;
  gamma: G2Point;
  delta: G2Point;
  /** one more than the key has signals */
  ic: readonly G1Point[];
};

/** Throws for another length, and for points that are not on the curve or not in the subgroup. */
export function readKeyPoints(bytes: Uint8Array): KeyPoints {
  const icLength = bytes.length - KEY_HEAD_LENGTH;
  if (icLength < G1_LENGTH || icLength % G1_LENGTH !== 0) {
    throw new Error("the verifying key has another length than any key");
  }
  return {
    alpha: readG1(bytes, 0),
    beta: readG2(bytes, 64),
    gamma: readG2(bytes, 192),
    delta: readG2(bytes, 320),
    ic: Array.from({ length: icLength / G1_LENGTH }, (_, index) =>
      readG1(bytes, KEY_HEAD_LENGTH + G1_LENGTH * index),
    ),
  };
}

/**
 * Throws as `readKeyPoints`, and where A is zero, as the contract refuses it: of a negated zero the precompile sees a coordinate
 * that is too large.
 */
export function readProofPoints(bytes: Uint8Array): { a: G1Point; b: G2Point; c: G1Point } {
  if (bytes.length !== PROOF_LENGTH) throw new Error(`a proof has ${PROOF_LENGTH} bytes`);
  const a = readG1(bytes, 0);
  if (a.equals(G1.ZERO)) throw new Error("A is zero");
  return { a, b: readG2(bytes, 64), c: readG1(bytes, 192) };
}

/** L = IC[0] + s[1] IC[1] + ... + s[n] IC[n], all products at once. */
export const publicPoint = ({ ic }: Pick<KeyPoints, "ic">, signals: readonly bigint[]): G1Point =>
  G1.msm([...ic], [1n, ...signals]);

/** Of pairings. Pairs with a zero in them are one, and the library takes none. */
export function productOf(pairs: readonly (readonly [G1Point, G2Point])[]): Fp12Element {
  const others = pairs
    .filter(([g1, g2]) => !g1.equals(G1.ZERO) && !g2.equals(G2.ZERO))
    .map(([g1, g2]) => ({ g1, g2 }));
  return others.length === 0 ? Fp12.ONE : bn254.pairingBatch(others);
}

/**
 * A product of pairings before the last step, which those of many have in common, times one more; a pair with a zero in it is one.
 */
export function unfinishedProduct(
  [g1, g2]: readonly [G1Point, G2Point],
  others: Fp12Element = Fp12.ONE,
): Fp12Element {
  if (g1.equals(G1.ZERO) || g2.equals(G2.ZERO)) return others;
  return Fp12.mul(others, bn254.pairingBatch([{ g1, g2 }], false));
}

/** The last step: what products of pairings are compared by. */
export const finishedProduct = (unfinished: Fp12Element): Fp12Element =>
  Fp12.finalExponentiate(unfinished);

export const powerOf = (product: Fp12Element, exponent: bigint): Fp12Element =>
  Fp12.pow(product, Fr.create(exponent));

/** Sum of multiples of points. */
export const sumOf = (points: readonly G1Point[], factors: readonly bigint[]): G1Point =>
  G1.msm(
    [...points],
    factors.map((factor) => Fr.create(factor)),
  );

/** Whether pairings, times what is known of others, are one. */
export const isOne = (product: Fp12Element, others: Fp12Element = Fp12.ONE): boolean =>
  Fp12.eql(Fp12.mul(product, others), Fp12.ONE);

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
  // Of zero and the order itself `fromAffine` would make the same point.
  if (value >= Fp.ORDER) throw new Error("a coordinate is not below the field's order");
  return value;
}

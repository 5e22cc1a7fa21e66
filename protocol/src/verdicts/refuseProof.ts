import { bn254 } from "@noble/curves/bn254";
import { dataLength, dataSlice } from "ethers";
import { BaseError } from "../baseError.ts";

/** Why `Groth16` refuses a proof. */
export type Groth16Refusal =
  `Groth16_${"ProofInvalid" | "ProofLengthInvalid" | "ProofPointInvalid" | "PublicSignalOutOfRange"}`;

/** `A (64) | B (128) | C (64)` */
const PROOF_LENGTH = 256;
/** `alpha (64) | beta (128) | gamma (128) | delta (128)`, then the IC points */
const KEY_HEAD_LENGTH = 448;
const G1_LENGTH = 64;

const G1 = bn254.G1.ProjectivePoint;
const G2 = bn254.G2.ProjectivePoint;
const { Fp, Fp2, Fp12, Fr } = bn254.fields;
type G1Point = typeof G1.BASE;
type G2Point = typeof G2.BASE;

/** A verifying key whose points were read. */
export type ReadKey = {
  alpha: G1Point;
  beta: G2Point;
  gamma: G2Point;
  delta: G2Point;
  ic: readonly G1Point[];
};

/**
 * What is wrong with a proof, by the contract's error; nothing if it holds. The contract's order: length, signals, points,
 * equation. `encodeProof` makes the bytes of what snarkjs wrote.
 */
export function refuseProof(parameters: {
  key: ReadKey;
  proof: string;
  /** as many as the key has, the context last */
  signals: readonly bigint[];
}): Groth16Refusal | undefined {
  const { key, proof, signals } = parameters;
  if (dataLength(proof) !== PROOF_LENGTH) return "Groth16_ProofLengthInvalid";
  if (!signals.every((signal) => signal < Fr.ORDER)) return "Groth16_PublicSignalOutOfRange";
  if (signals.length + 1 !== key.ic.length) {
    throw new BaseError({
      code: "verdict.signalCount",
      message: `the key is for ${key.ic.length - 1} signals, got ${signals.length}`,
    });
  }
  const points = tryReadProof(proof);
  if (points === undefined) return "Groth16_ProofPointInvalid";
  const { a, b, c } = points;
  const isOne = isProductOne([
    [a.negate(), b],
    [key.alpha, key.beta],
    [publicPoint(key, signals), key.gamma],
    [c, key.delta],
  ]);
  return isOne ? undefined : "Groth16_ProofInvalid";
}

/** The key that was read last: results come in rows of one version. */
let last: { key: string; read: ReadKey } | undefined;

/** Reads a verifying key as the registry stores it. Error: `verdict.keyMalformed`; the registry keeps no such key. */
export function readKey(key: string): ReadKey {
  if (last?.key !== key) last = { key, read: readPoints(key) };
  return last.read;
}

function readPoints(key: string): ReadKey {
  const icLength = dataLength(key) - KEY_HEAD_LENGTH;
  try {
    if (icLength < G1_LENGTH || icLength % G1_LENGTH !== 0) throw new Error(`${icLength} bytes`);
    return {
      alpha: readG1(key, 0),
      beta: readG2(key, 64),
      gamma: readG2(key, 192),
      delta: readG2(key, 320),
      ic: Array.from({ length: icLength / G1_LENGTH }, (_, i) =>
        readG1(key, KEY_HEAD_LENGTH + G1_LENGTH * i),
      ),
    };
  } catch (cause) {
    throw new BaseError({
      code: "verdict.keyMalformed",
      message: "the verifying key is no key as the model registry keeps it",
      cause,
    });
  }
}

/** A of zero is refused, as by the contract: of a negated zero the precompile sees a coordinate that is too large. */
function tryReadProof(proof: string): { a: G1Point; b: G2Point; c: G1Point } | undefined {
  try {
    const a = readG1(proof, 0);
    return a.equals(G1.ZERO) ? undefined : { a, b: readG2(proof, 64), c: readG1(proof, 192) };
  } catch {
    return undefined;
  }
}

/** EIP-196: x | y, zeros for the point at infinity. Throws for what is not on the curve, or not below the field's order. */
function readG1(data: string, offset: number): G1Point {
  const [x, y] = [readCoordinate(data, offset), readCoordinate(data, offset + 32)];
  if (x === 0n && y === 0n) return G1.ZERO;
  const point = G1.fromAffine({ x, y });
  point.assertValidity();
  return point;
}

/** EIP-197: imaginary part first. Throws for what is not in the subgroup, too. */
function readG2(data: string, offset: number): G2Point {
  const [xc1, xc0, yc1, yc0] = [0, 32, 64, 96].map((at) => readCoordinate(data, offset + at));
  const x = Fp2.fromBigTuple([xc0 ?? 0n, xc1 ?? 0n]);
  const y = Fp2.fromBigTuple([yc0 ?? 0n, yc1 ?? 0n]);
  if (Fp2.is0(x) && Fp2.is0(y)) return G2.ZERO;
  const point = G2.fromAffine({ x, y });
  point.assertValidity();
  return point;
}

function readCoordinate(data: string, offset: number): bigint {
  const value = BigInt(dataSlice(data, offset, offset + 32));
  // Of zero and the order itself `fromAffine` would make the same point.
  if (value >= Fp.ORDER) throw new Error("a coordinate is not below the field's order");
  return value;
}

/** L = IC[0] + s[1] IC[1] + ... + s[n] IC[n] */
const publicPoint = ({ ic }: ReadKey, signals: readonly bigint[]): G1Point =>
  signals.reduce(
    (sum, signal, i) =>
      signal === 0n ? sum : sum.add((ic[i + 1] ?? G1.ZERO).multiplyUnsafe(signal)),
    ic[0] ?? G1.ZERO,
  );

/** Pairs with a zero in them are one, and the library takes none. */
function isProductOne(pairs: readonly (readonly [G1Point, G2Point])[]): boolean {
  const others = pairs
    .filter(([g1, g2]) => !g1.equals(G1.ZERO) && !g2.equals(G2.ZERO))
    .map(([g1, g2]) => ({ g1, g2 }));
  return Fp12.eql(bn254.pairingBatch(others), Fp12.ONE);
}

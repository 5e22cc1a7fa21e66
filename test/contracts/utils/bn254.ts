/**
 * Arithmetic on BN254 (EIP-196, EIP-197), short: an implementation of the tests' own, so that
 * keys and proofs do not come from the code under test or from a prover.
 */
export const R = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
export const P = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

export type G1 = { x: bigint; y: bigint } | "zero";
/** Element of Fp[i] / (i^2 + 1): real part, imaginary part. */
export type Fp2 = readonly [bigint, bigint];
export type G2 = { x: Fp2; y: Fp2 } | "zero";

export const G1_GENERATOR: G1 = { x: 1n, y: 2n };
export const G2_GENERATOR: G2 = {
  x: [
    10857046999023057135944570762232829481370756359578518086990519993285655852781n,
    11559732032986387107991004021392285783925812861821192530917403151452391805634n,
  ],
  y: [
    8495653923123431417604973247489272438418190587263600148770280649306958101930n,
    4082367875863433681332203403145435568316851327593401208105741076214120093531n,
  ],
};

type Field<T> = {
  add: (a: T, b: T) => T;
  subtract: (a: T, b: T) => T;
  multiply: (a: T, b: T) => T;
  invert: (a: T) => T;
  equals: (a: T, b: T) => boolean;
  isZero: (a: T) => boolean;
  small: (n: bigint) => T;
};
type Affine<T> = { x: T; y: T };
type Point<T> = Affine<T> | "zero";

export const modulo = (a: bigint, modulus: bigint): bigint => ((a % modulus) + modulus) % modulus;

/** a^-1 by the extended Euclidean algorithm. */
export function inverse(a: bigint, modulus: bigint): bigint {
  let [r0, r1, t0, t1] = [modulus, modulo(a, modulus), 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1];
  }
  if (r0 !== 1n) throw new Error(`${a} has no inverse`);
  return modulo(t0, modulus);
}

const fp: Field<bigint> = {
  add: (a, b) => (a + b) % P,
  subtract: (a, b) => modulo(a - b, P),
  multiply: (a, b) => (a * b) % P,
  invert: (a) => inverse(a, P),
  equals: (a, b) => a === b,
  isZero: (a) => a === 0n,
  small: (n) => n,
};

export const fp2: Field<Fp2> = {
  add: ([a, b], [c, d]) => [fp.add(a, c), fp.add(b, d)],
  subtract: ([a, b], [c, d]) => [fp.subtract(a, c), fp.subtract(b, d)],
  multiply: ([a, b], [c, d]) => [modulo(a * c - b * d, P), (a * d + b * c) % P],
  invert: ([a, b]) => {
    const norm = inverse(a * a + b * b, P);
    return [fp.multiply(a, norm), fp.multiply(modulo(-b, P), norm)];
  },
  equals: ([a, b], [c, d]) => a === c && b === d,
  isZero: ([a, b]) => a === 0n && b === 0n,
  small: (n) => [n, 0n],
};

function addPoints<T>(field: Field<T>, a: Point<T>, b: Point<T>): Point<T> {
  if (a === "zero") return b;
  if (b === "zero") return a;
  const isSameX = field.equals(a.x, b.x);
  if (isSameX && field.isZero(field.add(a.y, b.y))) return "zero";
  const slope = isSameX
    ? field.multiply(
        field.multiply(field.small(3n), field.multiply(a.x, a.x)),
        field.invert(field.add(a.y, a.y)),
      )
    : field.multiply(field.subtract(b.y, a.y), field.invert(field.subtract(b.x, a.x)));
  const x = field.subtract(field.subtract(field.multiply(slope, slope), a.x), b.x);
  return { x, y: field.subtract(field.multiply(slope, field.subtract(a.x, x)), a.y) };
}

/** (X : Y : Z) stands for (X / Z^2, Y / Z^3), and for zero where Z is: sums of these need no inversion. */
type Jacobian<T> = { x: T; y: T; z: T };

function double<T>(field: Field<T>, { x, y, z }: Jacobian<T>): Jacobian<T> {
  const { multiply, subtract, add, small } = field;
  const yy = multiply(y, y);
  const s = multiply(small(4n), multiply(x, yy));
  const m = multiply(small(3n), multiply(x, x));
  const doubled = subtract(multiply(m, m), add(s, s));
  return {
    x: doubled,
    y: subtract(multiply(m, subtract(s, doubled)), multiply(small(8n), multiply(yy, yy))),
    z: multiply(add(y, y), z),
  };
}

function addAffine<T>(field: Field<T>, sum: Jacobian<T>, point: Affine<T>): Jacobian<T> {
  const { multiply, subtract, add, isZero, small } = field;
  if (isZero(sum.z)) return { ...point, z: small(1n) };
  const zz = multiply(sum.z, sum.z);
  const h = subtract(multiply(point.x, zz), sum.x);
  const r = subtract(multiply(point.y, multiply(zz, sum.z)), sum.y);
  if (isZero(h) && isZero(r)) return double(field, sum);
  const hh = multiply(h, h);
  const hhh = multiply(hh, h);
  const v = multiply(sum.x, hh);
  const x = subtract(subtract(multiply(r, r), hhh), add(v, v));
  return {
    x,
    y: subtract(multiply(r, subtract(v, x)), multiply(sum.y, hhh)),
    z: multiply(sum.z, h),
  };
}

function toAffine<T>(field: Field<T>, { x, y, z }: Jacobian<T>): Point<T> {
  if (field.isZero(z)) return "zero";
  const inverted = field.invert(z);
  const square = field.multiply(inverted, inverted);
  return { x: field.multiply(x, square), y: field.multiply(y, field.multiply(square, inverted)) };
}

function multiplyPoint<T>(field: Field<T>, point: Point<T>, scalar: bigint): Point<T> {
  if (point === "zero") return point;
  let sum: Jacobian<T> = { ...point, z: field.small(0n) };
  for (const bit of scalar.toString(2)) {
    sum = double(field, sum);
    if (bit === "1") sum = addAffine(field, sum, point);
  }
  return toAffine(field, sum);
}

/** Multiplies one point again and again: its multiples by every hexadecimal digit at every place are made once. */
function multiplierOf<T>(field: Field<T>, point: Point<T>): (scalar: bigint) => Point<T> {
  let rows: Affine<T>[][] | undefined;
  return (scalar) => {
    rows ??= multiplesOf(field, point);
    let sum: Jacobian<T> = { ...(point as Affine<T>), z: field.small(0n) };
    for (const [place, digit] of [...scalar.toString(16)].reverse().entries()) {
      const multiple = rows[place]?.[Number.parseInt(digit, 16) - 1];
      if (multiple !== undefined) sum = addAffine(field, sum, multiple);
    }
    return toAffine(field, sum);
  };
}

function multiplesOf<T>(field: Field<T>, point: Point<T>): Affine<T>[][] {
  const rows: Affine<T>[][] = [];
  let first = point;
  for (let place = 0; place < 64; place++) {
    const row = [first];
    while (row.length < 15) row.push(addPoints(field, row.at(-1) as Point<T>, first));
    rows.push(row as Affine<T>[]);
    first = addPoints(field, row.at(-1) as Point<T>, first);
  }
  return rows;
}

const multiplyGenerator1 = multiplierOf(fp, G1_GENERATOR);
const multiplyGenerator2 = multiplierOf(fp2, G2_GENERATOR);

export const addG1 = (a: G1, b: G1): G1 => addPoints(fp, a, b);
/** The scalar is reduced modulo the group's order. */
export const multiplyG1 = (point: G1, scalar: bigint): G1 =>
  point === G1_GENERATOR
    ? multiplyGenerator1(modulo(scalar, R))
    : multiplyPoint(fp, point, modulo(scalar, R));
export const multiplyG2 = (point: G2, scalar: bigint): G2 =>
  point === G2_GENERATOR
    ? multiplyGenerator2(modulo(scalar, R))
    : multiplyPoint(fp2, point, modulo(scalar, R));
export const negateG1 = (point: G1): G1 =>
  point === "zero" ? point : { x: point.x, y: modulo(-point.y, P) };
export const negateG2 = (point: G2): G2 =>
  point === "zero" ? point : { x: point.x, y: fp2.subtract([0n, 0n], point.y) };

function power<T>(field: Field<T>, base: T, exponent: bigint): T {
  let result = field.small(1n);
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = field.multiply(result, square);
    square = field.multiply(square, square);
  }
  return result;
}

/** A square root in Fp2 for p = 3 mod 4 (Adj, Rodriguez-Henriquez, 2012, algorithm 9), or undefined. */
function squareRoot(a: Fp2): Fp2 | undefined {
  const a1 = power(fp2, a, (P - 3n) / 4n);
  const x0 = fp2.multiply(a1, a);
  const alpha = fp2.multiply(a1, x0);
  const minusOne: Fp2 = [P - 1n, 0n];
  const root = fp2.equals(alpha, minusOne)
    ? fp2.multiply([0n, 1n], x0)
    : fp2.multiply(power(fp2, fp2.add(fp2.small(1n), alpha), (P - 1n) / 2n), x0);
  return fp2.equals(fp2.multiply(root, root), a) ? root : undefined;
}

/** A point of the twist y^2 = x^3 + 3 / (9 + i) that is not in the subgroup of order r. */
export function pointOutsideG2(): Exclude<G2, "zero"> {
  const b = fp2.multiply([3n, 0n], fp2.invert([9n, 1n]));
  for (let i = 1n; ; i++) {
    const x: Fp2 = [i, 1n];
    const y = squareRoot(fp2.add(fp2.multiply(x, fp2.multiply(x, x)), b));
    if (y === undefined) continue;
    const point: G2 = { x, y };
    if (multiplyPoint(fp2, point, R) !== "zero") return point;
  }
}

/**
 * Affine arithmetic on NIST P-384 (SEC 2, section 2.5.1; FIPS 186-5): y^2 = x^3 - 3x + b over the field of p
 * elements. Not constant-time: for public values only.
 */
export const P = 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n;
/** Order of the group, a prime. */
export const N = BigInt(
  "0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
);
export const B = BigInt(
  "0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
);

export type AffinePoint = { x: bigint; y: bigint };

export const GENERATOR: AffinePoint = {
  x: BigInt(
    "0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
  ),
  y: BigInt(
    "0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
  ),
};

/** a modulo m, in [0, m). */
export const modulo = (a: bigint, m: bigint): bigint => {
  const remainder = a % m;
  return remainder < 0n ? remainder + m : remainder;
};

/** Leading bits that Lehmer's steps look at: sums of two such numbers are exact in a double. */
const LEADING_BITS = 50;

/**
 * a^-1 modulo a prime, by the extended Euclidean algorithm; `undefined` where there is none. Most quotients are found from the
 * leading bits of both remainders (Lehmer; Knuth, TAOCP volume 2, section 4.5.2, algorithm L), ten times as fast as from the whole.
 */
export function invert(a: bigint, prime: bigint): bigint | undefined {
  let [r0, r1, t0, t1] = [prime, modulo(a, prime), 0n, 1n];
  while (r1 !== 0n) {
    const [[a0, b0], [a1, b1]] = lehmerSteps(r0, r1);
    if (b0 === 0n) {
      const quotient = r0 / r1;
      [r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1];
    } else {
      [r0, r1] = [a0 * r0 + b0 * r1, a1 * r0 + b1 * r1];
      [t0, t1] = [a0 * t0 + b0 * t1, a1 * t0 + b1 * t1];
    }
  }
  return r0 === 1n ? modulo(t0, prime) : undefined;
}

/**
 * As many steps of Euclid's algorithm on r0 > r1 as their leading bits decide: the two remainders after them, as combinations of
 * r0 and r1. The identity where they decide none.
 */
function lehmerSteps(r0: bigint, r1: bigint): [[bigint, bigint], [bigint, bigint]] {
  const length = Math.floor(Math.log2(Number(r0))) + 1;
  const shift = BigInt(Math.max(length - LEADING_BITS, 0));
  let [x, y] = [Number(r0 >> shift), Number(r1 >> shift)];
  let [a0, b0, a1, b1] = [1, 0, 0, 1];
  while (y + a1 !== 0 && y + b1 !== 0) {
    // The true quotient lies between these two.
    const quotient = Math.floor((x + a0) / (y + a1));
    if (quotient !== Math.floor((x + b0) / (y + b1))) break;
    [x, y] = [y, x - quotient * y];
    [a0, a1] = [a1, a0 - quotient * a1];
    [b0, b1] = [b1, b0 - quotient * b1];
  }
  return [
    [BigInt(a0), BigInt(b0)],
    [BigInt(a1), BigInt(b1)],
  ];
}

export const isOnCurve = ({ x, y }: AffinePoint): boolean =>
  x >= 0n && x < P && y >= 0n && y < P && modulo(y * y - x * x * x + 3n * x - B, P) === 0n;

export const negate = ({ x, y }: AffinePoint): AffinePoint => ({ x, y: modulo(-y, P) });

/** Slope of the tangent at `point`. No point of the curve has y = 0: the order of the group is odd. */
export function tangentSlope({ x, y }: AffinePoint): bigint {
  const inverse = invert(2n * y, P);
  if (inverse === undefined) throw new RangeError("the tangent is vertical");
  return modulo((3n * x * x - 3n) * inverse, P);
}

/** Slope of the line through two points; `undefined` if they have the same x. */
export function chordSlope(a: AffinePoint, b: AffinePoint): bigint | undefined {
  const inverse = invert(b.x - a.x, P);
  return inverse === undefined ? undefined : modulo((b.y - a.y) * inverse, P);
}

/** Third point of a line of this slope through `a` and a point with the x coordinate `otherX`, negated. */
export function alongLine(a: AffinePoint, otherX: bigint, slope: bigint): AffinePoint {
  const x = modulo(slope * slope - a.x - otherX, P);
  return { x, y: modulo(slope * (a.x - x) - a.y, P) };
}

export const double = (a: AffinePoint): AffinePoint => alongLine(a, a.x, tangentSlope(a));

/** a + b, where `undefined` is the point at infinity. */
export function add(
  a: AffinePoint | undefined,
  b: AffinePoint | undefined,
): AffinePoint | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  const slope = chordSlope(a, b);
  if (slope !== undefined) return alongLine(a, b.x, slope);
  return a.y === b.y ? double(a) : undefined;
}

/** scalar * point; the scalar is taken modulo n. */
export function multiply(point: AffinePoint, scalar: bigint): AffinePoint | undefined {
  let sum: JacobianPoint = { x: 1n, y: 1n, z: 0n };
  const digits = modulo(scalar, N).toString(2);
  for (const digit of digits) {
    sum = doubleJacobian(sum);
    if (digit === "1") sum = addAffine(sum, point);
  }
  const inverse = invert(sum.z, P);
  if (inverse === undefined) return undefined;
  const square = inverse * inverse;
  return { x: modulo(sum.x * square, P), y: modulo(sum.y * square * inverse, P) };
}

/** (x / z^2, y / z^3); z = 0 is the point at infinity. */
type JacobianPoint = { x: bigint; y: bigint; z: bigint };

/** "dbl-2001-b" of the Explicit-Formulas Database (hyperelliptic.org/EFD), for a = -3. */
function doubleJacobian({ x, y, z }: JacobianPoint): JacobianPoint {
  const delta = (z * z) % P;
  const gamma = (y * y) % P;
  const beta = (x * gamma) % P;
  const alpha = (3n * (x - delta) * (x + delta)) % P;
  const x3 = (alpha * alpha - 8n * beta) % P;
  return {
    x: x3,
    y: (alpha * (4n * beta - x3) - 8n * gamma * gamma) % P,
    z: modulo(2n * y * z, P),
  };
}

/** "madd" of the Explicit-Formulas Database, with its exceptional cases. */
function addAffine(a: JacobianPoint, b: AffinePoint): JacobianPoint {
  if (a.z === 0n) return { ...b, z: 1n };
  const zz = (a.z * a.z) % P;
  const h = modulo(b.x * zz - a.x, P);
  const r = modulo(b.y * zz * a.z - a.y, P);
  if (h === 0n) return r === 0n ? doubleJacobian(a) : { x: 1n, y: 1n, z: 0n };
  const hh = (h * h) % P;
  const hhh = (h * hh) % P;
  const v = (a.x * hh) % P;
  const x = (r * r - hhh - 2n * v) % P;
  return { x, y: (r * (v - x) - a.y * hhh) % P, z: (a.z * h) % P };
}

/** The point with this x and an even y; `undefined` if the curve has none. */
export function pointWithX(x: bigint): AffinePoint | undefined {
  if (x >= P) return undefined;
  const square = modulo(x * x * x - 3n * x + B, P);
  // p is 3 modulo 4: if there is a root, it is square^((p + 1) / 4)
  let y = 1n;
  let power = square;
  for (let exponent = (P + 1n) / 4n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) y = (y * power) % P;
    power = (power * power) % P;
  }
  if ((y * y) % P !== square) return undefined;
  return { x, y: y % 2n === 0n ? y : P - y };
}

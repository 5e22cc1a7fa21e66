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

/** a^-1 modulo a prime, by the extended Euclidean algorithm; `undefined` where there is none. */
export function invert(a: bigint, prime: bigint): bigint | undefined {
  let [r0, r1, t0, t1] = [prime, modulo(a, prime), 0n, 1n];
  while (r1 !== 0n) {
    const quotient = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1];
  }
  return r0 === 1n ? modulo(t0, prime) : undefined;
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
  let sum: AffinePoint | undefined;
  let power: AffinePoint | undefined = point;
  for (let rest = modulo(scalar, N); rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, power);
    power = add(power, power);
  }
  return sum;
}

import { N } from "./p384Curve.ts";

/** q = -t * factor modulo n, with |q| and t of about 192 bits and t > 0. */
export type HalfSizeScalars = { q: bigint; t: bigint };

/**
 * Short solutions of q + t * factor = 0 modulo n, the shortest first: remainders of Euclid's algorithm on n and
 * `factor` around the square root of n (Antipa et al., SAC 2005, section 4), and sums of neighbours.
 */
export function halfSizeScalars(factor: bigint): HalfSizeScalars[] {
  // every row has remainder = coefficient * factor modulo n
  const rows: { remainder: bigint; coefficient: bigint }[] = [];
  let [r0, r1, t0, t1] = [N, factor, 0n, 1n];
  while (r1 !== 0n) {
    rows.push({ remainder: r1, coefficient: t1 });
    const quotient = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1];
  }
  const middle = Math.max(1, rows.findIndex(({ remainder }) => remainder >> 192n === 0n));
  const near = rows.slice(middle - 1, middle + 2);
  const combinations = near.flatMap((a, i) =>
    near.slice(i + 1).flatMap((b) => [
      { remainder: a.remainder + b.remainder, coefficient: a.coefficient + b.coefficient },
      { remainder: a.remainder - b.remainder, coefficient: a.coefficient - b.coefficient },
    ]),
  );
  return [...near, ...combinations]
    .filter(({ coefficient }) => coefficient !== 0n)
    .map(({ remainder, coefficient }) =>
      coefficient > 0n ? { q: -remainder, t: coefficient } : { q: remainder, t: -coefficient },
    )
    .sort((a, b) => Number(size(a) - size(b)));
}

const absolute = (a: bigint): bigint => (a < 0n ? -a : a);
const size = ({ q, t }: HalfSizeScalars): bigint =>
  BigInt((absolute(q) > t ? absolute(q) : t).toString(2).length);

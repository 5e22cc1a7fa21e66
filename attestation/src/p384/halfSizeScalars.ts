import { N } from "./p384Curve.ts";

/** q = -t * factor modulo n, with |q| and t of about 192 bits and t > 0. */
export type HalfSizeScalars = { q: bigint; t: bigint };

/** How far to go from the lattice's origin, in each direction of the basis. */
const REACH = 3n;
/** Above it a solution is not short. The row where the algorithm stops is below 2^192. */
const LIMIT = 2n ** 195n;

/**
 * Short solutions of q + t * factor = 0 modulo n with t > 0: the combinations, with small coefficients, of the two
 * remainders of Euclid's algorithm on n and `factor` around the square root of n (Antipa et al., SAC 2005, section 4).
 */
export function halfSizeScalars(factor: bigint): HalfSizeScalars[] {
  // every row has remainder = coefficient * factor modulo n
  let [r0, r1, t0, t1] = [N, factor, 0n, 1n];
  while (r1 >> 192n > 0n) {
    const quotient = r0 / r1;
    [r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1];
  }
  const solutions: HalfSizeScalars[] = [];
  for (let i = -REACH; i <= REACH; i++) {
    for (let j = -REACH; j <= REACH; j++) {
      const t = i * t0 + j * t1;
      const q = -(i * r0 + j * r1);
      if (t > 0n && t < LIMIT && -LIMIT < q && q < LIMIT) solutions.push({ q, t });
    }
  }
  return solutions;
}

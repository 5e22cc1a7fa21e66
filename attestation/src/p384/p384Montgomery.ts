import { P } from "./p384Curve.ts";

const RADIX = 2n ** 256n % P;

/** The contract's form of a field element: value * 2^256 modulo p. */
export const toMontgomery = (value: bigint): bigint => (value * RADIX) % P;

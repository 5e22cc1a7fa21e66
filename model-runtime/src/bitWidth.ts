/** Number of binary digits of a number that is not negative: 0 for 0, 3 for 7, 4 for 8. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** Smallest w with -2^(w - 1) <= minimum and maximum < 2^(w - 1). */
export function signedWidth(range: { minimum: bigint; maximum: bigint }): number {
  const { minimum, maximum } = range;
  const negative = minimum < 0n ? bitLength(-minimum - 1n) : 0;
  const positive = maximum > 0n ? bitLength(maximum) : 0;
  return 1 + Math.max(negative, positive);
}

/** Width of an element in packed words: unsigned where nothing is negative, at least 1. */
export function elementWidth(range: { minimum: bigint; maximum: bigint }): {
  bits: number;
  isSigned: boolean;
} {
  return range.minimum >= 0n
    ? { bits: Math.max(1, bitLength(range.maximum)), isSigned: false }
    : { bits: signedWidth(range), isSigned: true };
}

/** The integers that one element can take, both ends included. */
export type Range = { minimum: bigint; maximum: bigint };

/** The range that covers all elements. */
export function unionRange(ranges: readonly Range[]): Range {
  const [first, ...rest] = ranges;
  let { minimum, maximum } = first ?? { minimum: 0n, maximum: 0n };
  for (const range of rest) {
    minimum = range.minimum < minimum ? range.minimum : minimum;
    maximum = greater(maximum, range.maximum);
  }
  return { minimum, maximum };
}

export const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** Number of binary digits of a number that is not negative: 0 for 0, 3 for 7, 4 for 8. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** Smallest w with -2^(w - 1) <= minimum and maximum < 2^(w - 1). */
export function signedWidth(range: Range): number {
  const { minimum, maximum } = range;
  const negative = minimum < 0n ? bitLength(-minimum - 1n) : 0;
  const positive = maximum > 0n ? bitLength(maximum) : 0;
  return 1 + Math.max(negative, positive);
}

/** Width of an element in packed words: unsigned where nothing is negative, at least 1. */
export function elementWidth(range: Range): { bits: number; isSigned: boolean } {
  return range.minimum >= 0n
    ? { bits: Math.max(1, bitLength(range.maximum)), isSigned: false }
    : { bits: signedWidth(range), isSigned: true };
}

/** An odd digit, |digit| < 2^(width - 1), that counts 2^position times. */
export type Digit = { digit: number; position: number };

/**
 * A number as a sum of signed odd digits, the lowest first, of which any two are at least `width` positions apart
 * (width-w NAF; Solinas, "Efficient Arithmetic on Koblitz Curves", section 3).
 */
export function signedWindows(parameters: { value: bigint; width: number }): Digit[] {
  const { value, width } = parameters;
  const modulus = 2n ** BigInt(width);
  const digits: Digit[] = [];
  let rest = value < 0n ? -value : value;
  for (let position = 0; rest > 0n; position++, rest >>= 1n) {
    if ((rest & 1n) === 0n) continue;
    const low = rest % modulus;
    const digit = low >= modulus / 2n ? low - modulus : low;
    rest -= digit;
    digits.push({ digit: Number(value < 0n ? -digit : digit), position });
  }
  return digits;
}

/** Smallest e for which `largest / 2^e`, rounded, does not exceed `limit`. `largest` 0 gives 0. */
export function scaleExponentFor(parameters: { largest: number; limit: number }): number {
  const { largest, limit } = parameters;
  if (largest === 0) {
    return 0;
  }
  let exponent = Math.ceil(Math.log2(largest / limit)) - 1;
  while (Math.round(largest / 2 ** exponent) > limit) {
    exponent += 1;
  }
  return exponent;
}

/** The integer nearest to `value / 2^exponent`, halves away from zero. */
export function toInteger(value: number, exponent: number): number {
  const scaled = value / 2 ** exponent;
  const rounded = Math.sign(scaled) * Math.round(Math.abs(scaled));
  return rounded === 0 ? 0 : rounded;
}

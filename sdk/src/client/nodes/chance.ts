/** A whole number below another one, by chance: all are as likely, as nearly as 32 bits tell. */
export function drawBelow(count: number): number {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return number % count;
}

/** The same entries in an order of chance. */
export function shuffled<T>(list: readonly T[]): T[] {
  const left = [...list];
  const drawn: T[] = [];
  while (left.length > 0) drawn.push(...left.splice(drawBelow(left.length), 1));
  return drawn;
}

/** Different numbers below `count`, at most so many, in an order of chance. */
export function drawNumbers(count: number, most: number): readonly number[] {
  if (count <= most) return shuffled(Array.from({ length: count }, (_, index) => index));
  const drawn = new Set<number>();
  while (drawn.size < most) drawn.add(drawBelow(count));
  return [...drawn];
}

import type { Terms } from "./rows.ts";

/** constant + coefficient * wire: what an element of a value is in a circuit. Wires are distinct and none is 0. */
export type Sum = Terms & { constant: number };

export const constantSum = (constant: number): Sum => ({ wires: [], coefficients: [], constant });

export const wireSum = (wire: number): Sum => ({ wires: [wire], coefficients: [1], constant: 0 });

/** Digits as a number: 2^from * the first of them, and so on. */
export function digitSum(digits: readonly number[], from = 0): Sum {
  return {
    wires: digits,
    coefficients: digits.map((_, index) => 2 ** (from + index)),
    constant: 0,
  };
}

/** What one sum is more than another, where that is a constant. */
export function constantDifference(one: Sum, other: Sum): number | undefined {
  const { wires, coefficients } = one;
  const isSame =
    wires.length === other.wires.length &&
    wires.every((wire, at) => wire === other.wires[at]) &&
    coefficients.every((coefficient, at) => coefficient === other.coefficients[at]);
  return isSame ? one.constant - other.constant : undefined;
}

/** constant + sum of factor * sum, with the wires in order, or undefined where a coefficient is exact in no double. */
export function combine(
  parts: readonly (readonly [factor: number, sum: Sum])[],
  constant = 0,
): Sum | undefined {
  return combineSorted(parts, constant) ?? combineAny(parts, constant);
}

/** The common case, in one pass: no wire occurs twice, and they come in order. */
function combineSorted(
  parts: readonly (readonly [factor: number, sum: Sum])[],
  constant: number,
): Sum | undefined {
  const wires: number[] = [];
  const coefficients: number[] = [];
  let last = 0;
  let total = constant;
  for (const [factor, sum] of parts) {
    total += factor * sum.constant;
    for (let index = 0; factor !== 0 && index < sum.wires.length; index++) {
      const wire = sum.wires[index] as number;
      if (wire <= last) return undefined;
      last = wire;
      wires.push(wire);
      coefficients.push(factor * (sum.coefficients[index] as number));
    }
  }
  return { wires, coefficients, constant: total };
}

function combineAny(
  parts: readonly (readonly [factor: number, sum: Sum])[],
  constant: number,
): Sum | undefined {
  const coefficients = new Map<number, number>();
  let total = constant;
  for (const [factor, sum] of parts) {
    total += factor * sum.constant;
    for (let index = 0; index < sum.wires.length; index++) {
      const wire = sum.wires[index] as number;
      const term = factor * (sum.coefficients[index] as number);
      const before = coefficients.get(wire);
      if (before !== undefined && !addsExactly(before, term)) return undefined;
      coefficients.set(wire, (before ?? 0) + term);
    }
  }
  const wires = [...coefficients.keys()]
    .filter((wire) => coefficients.get(wire) !== 0)
    .sort((a, b) => a - b);
  return {
    wires,
    coefficients: wires.map((wire) => coefficients.get(wire) as number),
    constant: total,
  };
}

/** As `combine`, for numbers that are known to be small. */
export function exactly(
  parts: readonly (readonly [factor: number, sum: Sum])[],
  constant = 0,
): Sum {
  const sum = combine(parts, constant);
  if (sum === undefined) throw new RangeError("a coefficient is exact in no double");
  return sum;
}

/** Whether no digit of a sum of two doubles is rounded away (Knuth's two-sum). */
function addsExactly(a: number, b: number): boolean {
  const sum = a + b;
  const part = sum - a;
  return a - (sum - part) + (b - part) === 0;
}

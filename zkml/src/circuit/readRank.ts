import { CertificateError } from "./certificateError.ts";
import type { Rank } from "./circuitBuilder.ts";
import type { Rows } from "./rows.ts";

/**
 * Reads the rows of a rank and refuses whatever differs from the form for which this holds. With places e_j and digits d
 * that are 0 or 1, and S a sum of other wires:
 *
 *     E * (E - 1) = 0, E = e_1 + ... + e_m      S + a_0 + sum of a_j e_j = D      b_0 + sum of b_j e_j - S = D'
 *
 * At most one e_j is 1. D and D' are not negative, so that S is in [-a_0 - a_j, b_0 + b_j] for that j, or without the terms
 * of j for none. These intervals are disjoint: S says which it is, and then all digits.
 *
 * Returns the terms of S, its least and greatest value that an interval has, and all digits. Throws `certificate.rank`.
 */
export function readRank(parameters: {
  rows: Rows;
  rank: Rank;
  isBoolean: (wire: number) => boolean;
}): { outside: ReadonlyMap<number, number>; least: number; most: number; digits: number[] } {
  const { rows, rank, isBoolean } = parameters;
  const { places } = rank;
  const require: (holds: boolean, row: number) => asserts holds = (holds, row) => {
    if (holds) return;
    throw new CertificateError({
      reason: "rank",
      message: `row ${row} does not have the form that a rank needs`,
      details: { row },
    });
  };
  const termsOf = (row: number, side: "a" | "b" | "c"): Map<number, number> => {
    const { wires, coefficients } = rows.side(row, side);
    const terms = new Map(wires.map((wire, index) => [wire, coefficients[index] as number]));
    require(terms.size === wires.length, row);
    return terms;
  };
  const { totalRow } = rank;
  const own = [...places, ...rank.above, ...rank.short];
  require(new Set(own).size === own.length && own.every((w) => w !== 0 && isBoolean(w)), totalRow);
  const [a, b] = [termsOf(totalRow, "a"), termsOf(totalRow, "b")];
  require(a.size === places.length && b.size === places.length + 1, totalRow);
  require(b.get(0) === -1 && termsOf(totalRow, "c").size === 0, totalRow);
  require(places.every((e) => a.get(e) === 1 && b.get(e) === 1), totalRow);
  /** A linear row without its digits: its constant, the coefficients of places, and the other wires. */
  const read = (row: number, digits: readonly number[]) => {
    const terms = termsOf(row, "c");
    require(termsOf(row, "a").size + termsOf(row, "b").size === 0, row);
    require(digits.every((wire, index) => terms.get(wire) === -(2 ** index)), row);
    const outside = new Map(terms);
    for (const wire of [0, ...places, ...digits]) outside.delete(wire);
    require(own.every((wire) => !outside.has(wire)), row);
    const constant = terms.get(0) ?? 0;
    return { ends: [constant, ...places.map((e) => constant + (terms.get(e) ?? 0))], outside };
  };
  const above = read(rank.aboveRow, rank.above);
  const short = read(rank.shortRow, rank.short);
  require(above.outside.size === short.outside.size, rank.shortRow);
  for (const [wire, coefficient] of above.outside) {
    require(short.outside.get(wire) === -coefficient, rank.shortRow);
  }
  const intervals = above.ends
    .map((end, index) => ({ least: 0 - end, most: short.ends[index] as number }))
    .sort((one, other) => one.least - other.least);
  for (const [index, { least, most }] of intervals.entries()) {
    const next = intervals[index + 1]?.least ?? Number.POSITIVE_INFINITY;
    require(least <= most && most < next, rank.shortRow);
  }
  return {
    outside: above.outside,
    least: intervals[0]?.least ?? Number.NaN,
    most: intervals.at(-1)?.most ?? Number.NaN,
    digits: [...rank.above, ...rank.short],
  };
}

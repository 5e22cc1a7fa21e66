import { CertificateError } from "./certificateError.ts";
import type { Choice } from "./circuitBuilder.ts";
import type { Rows, Terms } from "./rows.ts";

/** What is compared, over wires that are no part of the choice, and the digits of each difference. */
export type ReadChoice = { outside: number[]; digits: number[][] };

/** The rows below add up to less than this; half the field's order is about 2^252.6. */
const WRAP_LIMIT = 2 ** 200;

/**
 * Reads the rows of a choice and refuses whatever differs from the form for which this holds. With n sums, digits d_j of
 * differences in [0, 2^w) and k > n:
 *
 *     w_j * (1 - w_j - k * d_j) = 0      greatest - (1 - w_0 - ... - w_j) - d_j - sum_j = 0      w_0 + ... + w_(n-1) = 1
 *
 * Every w_j is 0 or 1 - k * d_j. With m of the second sort, 1 <= m <= n, the last row says m - k * D = 1, D the sum of
 * their d_j, in the integers, as n + k * n * 2^w does not wrap: so D = 0 and m = 1. The one winner has w = 1, d = 0 and
 * greatest = sum_winner; every other sum is at most that, and less where it comes before the winner. That admits one
 * index, one value of `greatest`, and one set of digits.
 *
 * Throws `certificate.choice`.
 */
export function readChoice(parameters: {
  rows: Rows;
  choice: Choice;
  isBoolean: (wire: number) => boolean;
}): ReadChoice {
  const { rows, choice, isBoolean } = parameters;
  const { winners, greatest } = choice;
  const count = winners.length;
  const require: (holds: boolean, row: number) => asserts holds = (holds, row) => {
    if (holds) return;
    throw new CertificateError({
      reason: "choice",
      message: `row ${row} does not have the form that a choice needs`,
      details: { row },
    });
  };
  const own = new Set([...winners, greatest]);
  require(own.size === count + 1 && !own.has(0), choice.sumRow);
  require(count === choice.differenceRows.length &&
    count === choice.choiceRows.length, choice.sumRow);
  const total = linearRow(rows, choice.sumRow);
  require(total?.size === count + 1 &&
    total.get(0) === -1 &&
    winners.every((w) => total.get(w) === 1), choice.sumRow);
  const outside = new Set<number>();
  const digits: number[][] = [];
  let factor: number | undefined;
  for (const [index, winner] of winners.entries()) {
    const choiceRow = choice.choiceRows[index] as number;
    const differenceRow = choice.differenceRows[index] as number;
    const [a, b, c] = [
      rows.side(choiceRow, "a"),
      rows.side(choiceRow, "b"),
      rows.side(choiceRow, "c"),
    ];
    const rest = mapOf(b);
    require(c.wires.length === 0 && a.wires.length === 1 && a.wires[0] === winner, choiceRow);
    require(a.coefficients[0] === 1, choiceRow);
    require(rest?.get(0) === 1 && rest.get(winner) === -1, choiceRow);
    const ofThis = b.wires.filter((wire) => wire !== 0 && wire !== winner);
    require(ofThis.length > 0 &&
      ofThis.every(isBoolean) &&
      ofThis.every((w) => !own.has(w)), choiceRow);
    factor ??= -(rest.get(ofThis[0] as number) as number);
    require(factor > count, choiceRow);
    for (const [position, wire] of ofThis.entries()) {
      require(rest.get(wire) === -factor * 2 ** position, choiceRow);
    }
    require(count + 2 * factor * count * 2 ** ofThis.length < WRAP_LIMIT, choiceRow);
    const difference = linearRow(rows, differenceRow);
    require(difference?.get(greatest) === 1, differenceRow);
    for (const [position, wire] of ofThis.entries()) {
      require(difference.get(wire) === -(2 ** position), differenceRow);
    }
    const before = new Set(winners.slice(0, index + 1));
    // without its constant, which is -1 and the sum's: whatever it is, it belongs to what is compared
    for (const [wire, coefficient] of difference) {
      if (winners.includes(wire)) require(before.has(wire) && coefficient === 1, differenceRow);
      else if (wire !== 0 && wire !== greatest && !ofThis.includes(wire)) outside.add(wire);
    }
    require([...before].every((wire) => difference.has(wire)), differenceRow);
    digits.push(ofThis);
  }
  const all = digits.flat();
  require(new Set(all).size === all.length &&
    all.every((wire) => !outside.has(wire)), choice.sumRow);
  return { outside: [...outside], digits };
}

/** Wire to coefficient of a row 0 = sum, or undefined for another row. */
function linearRow(rows: Rows, row: number): Map<number, number> | undefined {
  const hasFactors = rows.side(row, "a").wires.length + rows.side(row, "b").wires.length > 0;
  return hasFactors ? undefined : mapOf(rows.side(row, "c"));
}

function mapOf(terms: Terms): Map<number, number> | undefined {
  const map = new Map(
    terms.wires.map((wire, index) => [wire, terms.coefficients[index] as number]),
  );
  return map.size === terms.wires.length ? map : undefined;
}

import { CertificateError, wireName } from "./certificateError.ts";
import type { Choice, Rank, WireBlock } from "./circuitBuilder.ts";
import { readChoice } from "./readChoice.ts";
import { readRank } from "./readRank.ts";
import type { Rows } from "./rows.ts";

/**
 * A bound below half the field's order, about 2^252.6, with room for the rounding of doubles: a row whose sum stays below
 * it holds in the integers where it holds in the field.
 */
const WRAP_LIMIT = 2 ** 252;

/** Doubles hold every integer up to this. */
const EXACT_LIMIT = 2 ** 53;

/** The least and the greatest integer that rows allow each wire; NaN for the context, its square, and wires of the field. */
export type WireRanges = { minimum: Float64Array; maximum: Float64Array };

/**
 * The certificate that no row wraps: every row of integers that stay in ranges which the rows themselves enforce is below
 * half the field's order. Ranges come from these rules alone, in the order of the rows, never from samples:
 *
 * - `d * (d - 1) = 0` and, for a `t` of 0 or 1, `d * (1 - t - d) = 0`: the wire is 0 or 1;
 * - a linear row in which one wire has no range yet, with coefficient 1 or -1: that wire is the rest of the row;
 * - a product of sums with ranges: the one wire on the other side that has none, with coefficient 1 or -1, is the rest of the row;
 * - a choice, whose rows `readChoice` reads: the winners are 0 or 1;
 * - a rank of one wire, whose rows `readRank` reads: the wire is in one of its intervals.
 *
 * Outside are the square that gives the context a place, whose wires no other row may read, and rows that read a wire of the field,
 * such as those of a commitment: they bound nothing, and read nothing of the model but words of its input, so that no value of it is
 * there only by what wraps.
 *
 * Sums of wires other than words are also shown to be exact in a double, so that the witness is.
 *
 * Throws `certificate.rangeUnknown`, `certificate.wraps`, `certificate.inexact`, `certificate.fieldRow` and `certificate.choice`.
 */
export function certifyNoWrap(parameters: {
  rows: Rows;
  wireCount: number;
  publicCount: number;
  /** wires of the input's words: sums of them need not be exact in a double */
  givenWords: readonly number[];
  choices: readonly Choice[];
  ranks: readonly Rank[];
  fieldWires: ReadonlySet<number>;
  blocks: readonly WireBlock[];
}): WireRanges {
  const { rows, wireCount, publicCount, givenWords, choices, ranks, fieldWires, blocks } =
    parameters;
  const { starts, wires, coefficients } = rows;
  const minimum = new Float64Array(wireCount).fill(Number.NaN);
  const maximum = new Float64Array(wireCount).fill(Number.NaN);
  const setRange = (wire: number, low: number, high: number): void => {
    minimum[wire] = low;
    maximum[wire] = high;
  };
  setRange(0, 1, 1);
  const isBoolean = (wire: number): boolean => minimum[wire] === 0 && maximum[wire] === 1;
  // a digit by its own row alone: what a choice rests on must not rest on the choice
  const plain = new Uint8Array(wireCount);
  const inChoices = new Set(choices.flatMap(({ choiceRows }) => choiceRows));
  for (const choice of choices) {
    // shown at the end, from rows that do not need it
    for (const winner of choice.winners) setRange(winner, 0, 1);
  }
  const isWord = new Uint8Array(wireCount);
  for (let wire = 1; wire <= publicCount; wire++) isWord[wire] = 1;
  for (const wire of givenWords) isWord[wire] = 1;
  const isInField = readFieldRows({ rows, wireCount, givenWords, fieldWires });
  /** Interval of one side without the wires that have no range, which are counted. */
  const side = (sum: number) => {
    let [low, high, unknown, unknownCount, sign, size] = [0, 0, 0, 0, 0, 0];
    let hasWord = false;
    for (let term = starts[sum] as number; term < (starts[sum + 1] as number); term++) {
      const wire = wires[term] as number;
      const coefficient = coefficients[term] as number;
      const [least, most] = [minimum[wire] as number, maximum[wire] as number];
      hasWord ||= isWord[wire] === 1;
      if (Number.isNaN(least)) {
        unknown = wire;
        unknownCount += 1;
        sign = coefficient;
        continue;
      }
      low += coefficient * (coefficient < 0 ? most : least);
      high += coefficient * (coefficient < 0 ? least : most);
      size += Math.abs(coefficient) * Math.max(Math.abs(least), Math.abs(most));
    }
    return { low, high, unknown, unknownCount, sign, size, hasWord };
  };
  const fail = (row: number, wire: number): CertificateError =>
    new CertificateError({
      reason: "rangeUnknown",
      message: `row ${row}: no row before it bounds ${wireName(blocks, wire)}`,
      details: { row, wire },
    });
  const requireBelow = (row: number, size: number, limit: number): void => {
    if (size < limit) return;
    throw new CertificateError({
      reason: limit === WRAP_LIMIT ? "wraps" : "inexact",
      message: `row ${row}: a sum can reach ${size}, the limit is ${limit}; use fewer weight or activation bits`,
      details: { row },
    });
  };
  const rankAt = new Map(ranks.map((rank) => [rank.shortRow, rank]));
  /** The digits of both distances are not negative, and the rows before bound all that they read. */
  const narrow = (rank: Rank): void => {
    const { outside, least, most } = readRank({ rows, rank, isBoolean });
    const [[wire, coefficient] = [0, 0]] = outside;
    if (outside.size !== 1 || Math.abs(coefficient) !== 1) return;
    if (coefficient > 0) setRange(wire, least, most);
    else setRange(wire, 0 - most, 0 - least);
  };
  for (let row = 0; row < rows.count; row++) {
    if (inChoices.has(row) || isInField(row)) continue;
    const [a, b, c] = [side(3 * row), side(3 * row + 1), side(3 * row + 2)];
    const isLinear = starts[3 * row] === starts[3 * row + 2];
    if (isLinear) {
      if (c.unknownCount > 1 || (c.unknownCount === 1 && Math.abs(c.sign) !== 1)) {
        throw fail(row, c.unknown);
      }
      requireBelow(row, c.size, WRAP_LIMIT);
      if (!c.hasWord) requireBelow(row, c.size, EXACT_LIMIT);
      if (c.unknownCount === 1) {
        const [low, high] = c.sign < 0 ? [c.low, c.high] : [-c.high, -c.low];
        setRange(c.unknown, low, high);
      }
      const rank = rankAt.get(row);
      if (rank !== undefined) narrow(rank);
      continue;
    }
    const digit = booleanWire({ rows, row, isBoolean });
    if (digit !== undefined) {
      setRange(digit, 0, 1);
      plain[digit] = rows.side(row, "b").wires.length === 2 ? 1 : (plain[digit] as number);
      continue;
    }
    if (isContextSquare({ rows, row, publicCount })) continue;
    if (a.unknownCount + b.unknownCount > 0) throw fail(row, a.unknown || b.unknown);
    const products = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
    requireBelow(row, a.size * b.size + c.size, WRAP_LIMIT);
    requireBelow(row, a.size * b.size + (c.hasWord ? 0 : c.size), EXACT_LIMIT);
    if (c.unknownCount > 1 || (c.unknownCount === 1 && Math.abs(c.sign) !== 1)) {
      throw fail(row, c.unknown);
    }
    if (c.unknownCount === 1) {
      const [least, most] = [Math.min(...products), Math.max(...products)];
      if (c.sign > 0) setRange(c.unknown, least - c.high, most - c.low);
      else setRange(c.unknown, c.low - most, c.high - least);
    }
  }
  for (const choice of choices) {
    readChoice({ rows, choice, isBoolean: (wire) => plain[wire] === 1 });
  }
  return { minimum, maximum };
}

/**
 * Says of a row whether it is one of the field: reads a wire of it, and then nothing else but words of the input, which are integers,
 * and constants.
 */
function readFieldRows(parameters: {
  rows: Rows;
  wireCount: number;
  givenWords: readonly number[];
  fieldWires: ReadonlySet<number>;
}): (row: number) => boolean {
  const { rows, wireCount, givenWords, fieldWires } = parameters;
  if (fieldWires.size === 0) return () => false;
  const isAllowed = new Uint8Array(wireCount);
  for (const wire of [0, ...fieldWires, ...givenWords]) isAllowed[wire] = 1;
  return (row) => {
    const wires = rows.wires.subarray(rows.starts[3 * row], rows.starts[3 * row + 3]);
    if (!wires.some((wire) => fieldWires.has(wire))) return false;
    if (wires.every((wire) => isAllowed[wire] === 1)) return true;
    throw new CertificateError({
      reason: "fieldRow",
      message: `row ${row} has a value of the model where only numbers of the field and words of the input may be`,
      details: { row },
    });
  };
}

/** The wire that a row makes 0 or 1: of `d * (d - 1) = 0`, or of `d * (1 - t - d) = 0` with t 0 or 1. */
function booleanWire(parameters: {
  rows: Rows;
  row: number;
  isBoolean: (wire: number) => boolean;
}): number | undefined {
  const { rows, row, isBoolean } = parameters;
  const [a, b, c] = [rows.side(row, "a"), rows.side(row, "b"), rows.side(row, "c")];
  const [digit = 0] = a.wires;
  if (c.wires.length > 0 || a.wires.length !== 1 || a.coefficients[0] === 0 || digit === 0) {
    return undefined;
  }
  const factors = new Map(b.wires.map((wire, index) => [wire, b.coefficients[index]]));
  const one = factors.get(0);
  if (factors.size !== b.wires.length || Math.abs(one ?? 0) !== 1) return undefined;
  if (factors.get(digit) !== -(one as number)) return undefined;
  if (factors.size === 2) return digit;
  const other = b.wires.find((wire) => wire !== 0 && wire !== digit) ?? 0;
  const isTight = factors.size === 3 && factors.get(other) === -(one as number);
  return isTight && isBoolean(other) ? digit : undefined;
}

/** Whether a row is the context's square, into a wire that no other row reads. */
function isContextSquare(parameters: { rows: Rows; row: number; publicCount: number }): boolean {
  const { rows, row, publicCount } = parameters;
  const sides = [rows.side(row, "a"), rows.side(row, "b"), rows.side(row, "c")];
  const [a, b, c] = sides.map(({ wires }) => wires[0]);
  if (sides.some(({ wires, coefficients }) => wires.length !== 1 || coefficients[0] !== 1)) {
    return false;
  }
  const reads = (wire: number): number =>
    rows.wires.reduce((sum, w) => sum + (w === wire ? 1 : 0), 0);
  return a === publicCount && b === a && reads(a) === 2 && c !== undefined && reads(c) === 1;
}

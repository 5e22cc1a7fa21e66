import { FIELD_ORDER } from "@haca/model-runtime/witness/field";
import { CertificateError, wireName } from "./certificateError.ts";
import type { WireRanges } from "./certifyNoWrap.ts";
import type { Choice, Rank, WireBlock } from "./circuitBuilder.ts";
import { readChoice } from "./readChoice.ts";
import { readRank } from "./readRank.ts";
import { readSystem } from "./readSystem.ts";
import type { Rows } from "./rows.ts";

/** Digits of a number have powers of two, weights have not. */
const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(Math.abs(value)));

/** Sums of digits stay below this; half the field's order is about 2^252.6. */
const WRAP_LIMIT = 1n << 252n;

/** How often the rows are read, at most. */
const MAXIMUM_PASSES = 8;

/**
 * The certificate that a circuit has one witness at most for given words of the input, salt and context: from the input's words, the salt where it has one,
 * and the context every other wire follows, by these rules alone:
 *
 * - a linear row with one wire that is not known: it is the rest of the row;
 * - a linear row whose unknown wires have enforced ranges that fit beside each other, as digits of a number do: each
 *   coefficient exceeds all that the smaller ones can add up to, and nothing wraps;
 * - a product of known sums, whose row says the same of the wires on its other side: it is one unknown wire, or digits;
 * - a choice over known sums, whose rows `readChoice` reads; a rank of a known sum, whose rows `readRank` reads;
 * - as many products of known sums as unknown wires on their other sides, whose matrix `readSystem` inverts.
 *
 * The rows are read in order a few times over: each time costs as much as they have terms, and the builder adds rows in an
 * order in which twice is enough.
 *
 * Also shows that no weight stands in a product: coefficients there are powers of two, of digits.
 *
 * Needs the ranges of `certifyNoWrap`. Throws `certificate.undetermined` and `certificate.weightInProduct`.
 */
export function certifyDeterminism(parameters: {
  rows: Rows;
  wireCount: number;
  /** wires of the input's words, which are known, as is the last public one, the context */
  givenWords: readonly number[];
  /** the other wire that is known, where the circuit has one */
  salt?: number;
  publicCount: number;
  choices: readonly Choice[];
  ranks: readonly Rank[];
  systems: readonly (readonly number[])[];
  blocks: readonly WireBlock[];
  ranges: WireRanges;
}): void {
  const { rows, wireCount, givenWords, salt, publicCount, choices, ranks, blocks } = parameters;
  const { ranges, systems } = parameters;
  const { starts, wires, coefficients } = rows;
  requireNoWeights(rows);
  const known = new Uint8Array(wireCount);
  let learnt = 0;
  const learn = (wire: number): void => {
    learnt += known[wire] === 0 ? 1 : 0;
    known[wire] = 1;
  };
  const unknownTerms = (sum: number): number[] => {
    const terms: number[] = [];
    for (let term = starts[sum] as number; term < (starts[sum + 1] as number); term++) {
      if (known[wires[term] as number] === 0) terms.push(term);
    }
    return terms;
  };
  const isRanged = (wire: number): boolean => !Number.isNaN(ranges.minimum[wire] as number);
  /** Whether unknown wires are digits of a number: the sum says what each of them is. */
  const areDigits = (terms: number[]): boolean => {
    const sorted = terms.sort(
      (a, b) => Math.abs(coefficients[a] as number) - Math.abs(coefficients[b] as number),
    );
    // words have more digits than a double
    let reach = 0n;
    for (const term of sorted) {
      const wire = wires[term] as number;
      if (!isRanged(wire) || rows.wide.has(term)) return false;
      const coefficient = BigInt(Math.abs(coefficients[term] as number));
      if (coefficient <= reach) return false;
      const width = (ranges.maximum[wire] as number) - (ranges.minimum[wire] as number);
      reach += coefficient * BigInt(width);
    }
    return reach < WRAP_LIMIT;
  };
  const visit = (row: number): void => {
    const isLinear = starts[3 * row] === starts[3 * row + 2];
    if (!isLinear && unknownTerms(3 * row).length + unknownTerms(3 * row + 1).length > 0) return;
    const terms = unknownTerms(3 * row + 2);
    const isOne = terms.length === 1 && rows.exact(terms[0] as number) % FIELD_ORDER !== 0n;
    if (isOne || areDigits(terms)) {
      for (const term of terms) learn(wires[term] as number);
    }
  };
  const choiceAt = new Map(choices.map((choice) => [choice.sumRow, choice]));
  const rankAt = new Map(ranks.map((rank) => [rank.shortRow, rank]));
  const isBoolean = (wire: number) => ranges.minimum[wire] === 0 && ranges.maximum[wire] === 1;
  const systemAt = new Map(systems.map((system) => [system.at(-1), system]));
  for (const wire of [0, ...givenWords, publicCount]) learn(wire);
  if (salt !== undefined) learn(salt);
  for (let pass = 0, before = -1; pass < MAXIMUM_PASSES && learnt > before; pass++) {
    before = learnt;
    for (let row = 0; row < rows.count && learnt < wireCount; row++) {
      visit(row);
      const system = systemAt.get(row);
      if (system !== undefined) {
        const isKnown = (wire: number) => known[wire] === 1;
        for (const wire of readSystem({ rows, system, isKnown }) ?? []) learn(wire);
      }
      const rank = rankAt.get(row);
      if (rank !== undefined) {
        const { outside, digits } = readRank({ rows, rank, isBoolean });
        if ([...outside.keys()].every((wire) => known[wire] === 1)) {
          for (const wire of [...rank.places, ...digits]) learn(wire);
        }
      }
      const choice = choiceAt.get(row);
      if (choice === undefined) continue;
      const { outside, digits } = readChoice({ rows, choice, isBoolean });
      if (outside.every((wire) => known[wire] === 1)) {
        for (const wire of [...choice.winners, choice.greatest, ...digits.flat()]) learn(wire);
      }
    }
  }
  const loose = known.indexOf(0);
  if (loose !== -1) {
    throw new CertificateError({
      reason: "undetermined",
      message: `${wireName(blocks, loose)} does not follow from the circuit's inputs`,
      details: { wire: loose },
    });
  }
}

/** Coefficients in a and b are 1, -1 and powers of two: a proof's time does not depend on the weights. */
function requireNoWeights(rows: Rows): void {
  const { starts, coefficients } = rows;
  for (let row = 0; row < rows.count; row++) {
    for (let term = starts[3 * row] as number; term < (starts[3 * row + 2] as number); term++) {
      if (!isPowerOfTwo(coefficients[term] as number)) {
        throw new CertificateError({
          reason: "weightInProduct",
          message: `row ${row} multiplies by ${coefficients[term]}: weights belong to linear rows`,
          details: { row },
        });
      }
    }
  }
}

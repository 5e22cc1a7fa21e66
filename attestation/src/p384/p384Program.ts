import { toBytes } from "../bytes.ts";
import { DOUBLINGS, OFFSET } from "./p384Base.ts";
import { type AffinePoint, alongLine, chordSlope, negate, tangentSlope } from "./p384Curve.ts";
import { toMontgomery } from "./p384Montgomery.ts";
import { signedWindows } from "./signedWindows.ts";

/** Scalar and odd multiples (in the table from `first`) of one of the four points. */
export type Term = { scalar: bigint; first: number; multiples: readonly AffinePoint[] };

type Addition = { index: number; isNegative: boolean; point: AffinePoint };

const OPERATION = { double: 0, add: 1, doubleAndAdd: 3 };

export const packSlope = (slope: bigint): Uint8Array => toBytes(toMontgomery(slope), 48);

/** What an addition costs in gas, hints included: with a doubling (over the doubling alone), and by itself. */
const ADDITION_COST = { withDoubling: 1700, alone: 2700 };

/** Gas that the additions of a program take, roughly: to choose between scalars. */
export function estimateCost(terms: readonly Term[]): number {
  let cost = 0;
  for (const [position, additions] of placeAdditions(terms)) {
    const shared = position < DOUBLINGS ? 1 : 0;
    cost += shared * ADDITION_COST.withDoubling + (additions.length - shared) * ADDITION_COST.alone;
  }
  return cost;
}

/**
 * The steps that take the offset point F to 2^192 F + the terms' sum, as bytes for the contract `P384`.
 *
 * @returns `undefined` if two points with the same x meet on the way: other scalars are then needed
 */
export function p384Program(parameters: {
  terms: readonly Term[];
}): { bytes: Uint8Array; end: AffinePoint } | undefined {
  const schedule = placeAdditions(parameters.terms);
  const chunks: Uint8Array[] = [];
  let sum = OFFSET;

  const add = (operation: number, { index, isNegative, point }: Addition): boolean => {
    const slope = chordSlope(sum, point);
    if (slope === undefined) return false;
    const next = alongLine(sum, point.x, slope);
    const slopes = [packSlope(slope)];
    if (operation === OPERATION.doubleAndAdd) {
      const second = chordSlope(sum, next);
      if (second === undefined) return false;
      slopes.push(packSlope(second));
      sum = alongLine(sum, next.x, second);
    } else {
      sum = next;
    }
    chunks.push(Uint8Array.of(operation + (isNegative ? 1 : 0), index), ...slopes);
    return true;
  };

  for (let position = DOUBLINGS; position >= 0; position--) {
    const additions = [...(schedule.get(position) ?? [])];
    if (position < DOUBLINGS) {
      const first = additions.shift();
      if (first === undefined) {
        const slope = tangentSlope(sum);
        chunks.push(Uint8Array.of(OPERATION.double), packSlope(slope));
        sum = alongLine(sum, sum.x, slope);
      } else if (!add(OPERATION.doubleAndAdd, first)) {
        return undefined;
      }
    }
    if (!additions.every((addition) => add(OPERATION.add, addition))) return undefined;
  }
  return { bytes: new Uint8Array(Buffer.concat(chunks)), end: sum };
}

/** The additions of all terms by position. A digit above the first position becomes several at it. */
function placeAdditions(terms: readonly Term[]): Map<number, Addition[]> {
  const schedule = new Map<number, Addition[]>();
  for (const { scalar, first, multiples } of terms) {
    const width = Math.log2(multiples.length) + 2;
    for (const { digit, position } of signedWindows({ value: scalar, width })) {
      const offset = (Math.abs(digit) - 1) / 2;
      const multiple = multiples[offset];
      if (multiple === undefined) throw new RangeError(`digit ${digit} is not in the table`);
      const isNegative = digit < 0;
      const addition = {
        index: first + offset,
        isNegative,
        point: isNegative ? negate(multiple) : multiple,
      };
      const times = position > DOUBLINGS ? 2 ** (position - DOUBLINGS) : 1;
      const place = Math.min(position, DOUBLINGS);
      const additions = schedule.get(place) ?? [];
      additions.push(...Array.from({ length: times }, () => addition));
      schedule.set(place, additions);
    }
  }
  return schedule;
}

import { Field } from "@noble/curves/abstract/modular";
import { grainGenConstants } from "@noble/curves/abstract/poseidon";
import { SIGNAL_LIMIT as ORDER } from "./scalarField.ts";

/** The scalar field of BN254, in which everything here is computed; the whole curve takes long to load. */
const Fr = Field(ORDER);

/** Rounds in which every element passes the power of five: half of them before the others, half after. */
export const FULL_ROUNDS = 8;

/**
 * Rounds in which the first element alone does, by width from 2 to 17: what the paper's script gives for 128 bits of security
 * in this field, and iden3's circomlib uses (https://eprint.iacr.org/2019/458, section 5.5).
 */
const PARTIAL_ROUNDS = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];

/** Widths that have parameters. */
export const WIDTHS = { minimum: 2, maximum: PARTIAL_ROUNDS.length + 1 };

/** Parameters of the permutation of one width. */
export type PoseidonConstants = {
  partialRounds: number;
  /** per round, in order, what is added to each element */
  roundConstants: readonly (readonly bigint[])[];
  /** what the elements are multiplied by after each round */
  matrix: readonly (readonly bigint[])[];
};

const known = new Map<number, PoseidonConstants>();

/** Parameters by the published procedure, a Grain shift register, computed once a width. Throws for a width without any. */
export function poseidonConstants(width: number): PoseidonConstants {
  const before = known.get(width);
  if (before !== undefined) return before;
  const partialRounds = partialRoundsOf(width);
  const { mds, roundConstants } = grainGenConstants({
    Fp: Fr,
    t: width,
    roundsFull: FULL_ROUNDS,
    roundsPartial: partialRounds,
  });
  const constants = { partialRounds, roundConstants, matrix: mds };
  known.set(width, constants);
  return constants;
}

/** Rounds of a width in which one element passes the power of five. Throws for a width without parameters. */
export function partialRoundsOf(width: number): number {
  const rounds = PARTIAL_ROUNDS[width - WIDTHS.minimum];
  if (rounds === undefined) throw new RangeError(`Poseidon of width ${width} has no parameters`);
  return rounds;
}

/** Powers of five that a permutation computes. */
export const powersOf = (width: number): number => FULL_ROUNDS * width + partialRoundsOf(width);

/**
 * Poseidon's permutation with x^5 of elements below the field's order. `onRound` sees every round's elements, after its constants
 * were added and before any of them is raised to its power.
 */
export function poseidonPermutation(
  state: readonly bigint[],
  onRound: (round: number, elements: readonly bigint[]) => void = () => {},
): bigint[] {
  const { matrix, partialRounds, roundConstants } = poseidonConstants(state.length);
  const half = FULL_ROUNDS / 2;
  let elements = [...state];
  for (const [round, constants] of roundConstants.entries()) {
    const given = elements.map(
      (element, index) => (element + (constants[index] as bigint)) % ORDER,
    );
    onRound(round, given);
    const isFull = round < half || round >= half + partialRounds;
    const powers = given.map((element, index) =>
      isFull || index === 0 ? fifthPower(element) : element,
    );
    elements = matrix.map(
      (row) =>
        row.reduce((sum, factor, index) => sum + factor * (powers[index] as bigint), 0n) % ORDER,
    );
  }
  return elements;
}

function fifthPower(element: bigint): bigint {
  const square = (element * element) % ORDER;
  return (((square * square) % ORDER) * element) % ORDER;
}

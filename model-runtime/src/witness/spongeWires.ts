import { type CommitmentShape, elementCount, inputSponge } from "@haca/protocol/inputCommitment";
import { FULL_ROUNDS, partialRoundsOf, powersOf } from "@haca/protocol/poseidon";

/** Wires of a power of five: x, its square, its fourth power. Of the fifth there is none: rows say it in sums of others. */
export const POWER_WIRES = 3;

/** Where the values of a sponge lie among the wires of a circuit: for whoever adds its rows, and whoever computes them. */
export type SpongeWires = {
  width: number;
  permutations: number;
  tag: bigint;
  partialRounds: number;
  /** elements that go into the first permutation: from 1 to this. The others are constants in its first round, and have no wires there */
  taken: number;
  /** first wire of the power of an element in a round; in a round of one power the element is 0 */
  power: (permutation: number, round: number, element: number) => number;
  /** wire of an element after 0 that goes into the first round of one power, and is raised to none there */
  carried: (permutation: number, element: number) => number;
  /** wire of an element at the end, but for that of the commitment, 1 */
  rest: (element: number) => number;
  count: number;
};

/** The wires from `first` on. Per permutation those of its powers, in order, and those that are carried; then the rest. */
export function spongeWires(shape: CommitmentShape, first: number): SpongeWires {
  const { permutations, tag, width } = inputSponge(shape);
  const partialRounds = partialRoundsOf(width);
  const half = FULL_ROUNDS / 2;
  const taken = Math.min(elementCount(shape), width - 1);
  const powerWires = POWER_WIRES * powersOf(width);
  const length = powerWires + width - 1;
  /** where the first permutation would begin if it had wires for constants */
  const origin = first - POWER_WIRES * (width - taken);
  const powersBefore = (round: number): number => {
    const partial = Math.min(Math.max(round - half, 0), partialRounds);
    return (round - partial) * width + partial;
  };
  const end = origin + permutations * length;
  return {
    ...{ width, permutations, tag, partialRounds, taken },
    power: (permutation, round, element) =>
      permutation === 0 && round === 0
        ? first + POWER_WIRES * (element - 1)
        : origin + permutation * length + POWER_WIRES * (powersBefore(round) + element),
    carried: (permutation, element) => origin + permutation * length + powerWires + element - 1,
    rest: (element) => end + Math.max(0, element - 1),
    count: end + width - 1 - first,
  };
}

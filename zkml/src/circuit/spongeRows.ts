import { FIELD_ORDER } from "@haca/model-runtime/witness/field";
import { type SpongeWires, spongeWires } from "@haca/model-runtime/witness/spongeWires";
import { STEP } from "@haca/model-runtime/witness/witnessPlan";
import type { CommittedMode } from "@haca/protocol/inputMode";
import { FULL_ROUNDS, type PoseidonConstants, poseidonConstants } from "@haca/protocol/poseidon";
import type { CircuitBuilder } from "./circuitBuilder.ts";
import { inField, invertElement, invertMatrix } from "./fieldMatrix.ts";
import type { FieldTerms } from "./rows.ts";
import { wireSum } from "./sum.ts";

/** Rounds before those of one power. */
const HALF = FULL_ROUNDS / 2;

/** A sum over the wires that the rounds of one power read or introduce, in that order, and a constant. */
type PartialSum = { coefficients: bigint[]; constant: bigint };

/** What the matrix and constants of a width make of its layers. */
type Layers = PoseidonConstants & {
  inverse: bigint[][];
  /** per round of one power: its fifth power, over the wires up to that which it introduces */
  powers: PartialSum[];
  /** elements after 0 that come out of the last of these rounds, with the next round's constants */
  left: PartialSum[];
};

const known = new Map<number, Layers>();

/**
 * Adds the rows of a sponge that hashes words, and a salt in front of them, to the commitment.
 *
 * A power of five takes three rows: x * x, the square's square, and their product with x, which is no wire: the row says what sum of the
 * next round's elements it is, by the matrix's inverse. So the matrices stand in the last side, and no product reads a weight.
 * In a full round these are as many equations as unknown elements (`systems`); in a round of one power the one new element is read
 * off, and the others are sums that nobody needs before the last of these rounds, where they become wires by a linear row each.
 * So does every word of the first round; what is constant there has no wire, as its power is known.
 *
 * All of it holds in the field and wraps: nothing but words may be integers here.
 */
export function addSpongeRows(parameters: {
  circuit: CircuitBuilder;
  mode: CommittedMode;
  words: readonly number[];
  salt?: number;
  commitment: number;
}): void {
  const { circuit, commitment, mode, salt, words } = parameters;
  const shape = { mode, words: words.length };
  const [first = 0] = circuit.takeField("sponge", spongeWires(shape, 0).count);
  const sponge = spongeWires(shape, first);
  circuit.plan.addStep(STEP.commitment, [words[0] as number, salt ?? 0, first]);
  const elements = salt === undefined ? words : [salt, ...words];
  const layers = layersOf(sponge.width);
  /** What goes into the state before a permutation: a wire, or nothing. */
  const taken = (permutation: number, element: number): number | undefined =>
    element === 0 ? undefined : elements[permutation * (sponge.width - 1) + element - 1];
  const at = { circuit, sponge, layers };

  const [initial = []] = layers.roundConstants;
  for (let element = 1; element <= sponge.taken; element++) {
    const terms: Term[] = [
      [sponge.power(0, 0, element), -1n],
      [elements[element - 1] as number, 1n],
    ];
    circuit.rows.addLinear(sumOf(terms), initial[element] as bigint);
  }
  for (let permutation = 0; permutation < sponge.permutations; permutation++) {
    const isLast = permutation === sponge.permutations - 1;
    const last = FULL_ROUNDS + layers.partialRounds - 1;
    for (let round = 0; round < HALF; round++) {
      const next = (element: number) =>
        round === HALF - 1 && element > 0
          ? sponge.carried(permutation, element)
          : sponge.power(permutation, round + 1, element);
      addFullRound({
        ...at,
        permutation,
        round,
        next,
        constants: layers.roundConstants[round + 1],
      });
    }
    addPartialRounds({ ...at, permutation });
    for (let round = last - HALF + 1; round < last; round++) {
      const next = (element: number) => sponge.power(permutation, round + 1, element);
      addFullRound({
        ...at,
        permutation,
        round,
        next,
        constants: layers.roundConstants[round + 1],
      });
    }
    addFullRound({
      ...{ ...at, permutation, round: last },
      next: (element) =>
        !isLast
          ? sponge.power(permutation + 1, 0, element)
          : element === 1
            ? commitment
            : sponge.rest(element),
      constants: isLast ? undefined : layers.roundConstants[0],
      taken: (element) => (isLast ? undefined : taken(permutation + 1, element)),
    });
  }
}

type At = { circuit: CircuitBuilder; sponge: SpongeWires; layers: Layers; permutation: number };

/** Every element's power, and what they make of the next round's elements: a row says the power in terms of all of these. */
function addFullRound(
  parameters: At & {
    round: number;
    /** wire of an element of the next round, after its constants */
    next: (element: number) => number;
    constants: readonly bigint[] | undefined;
    /** wire that is added to an element before that */
    taken?: (element: number) => number | undefined;
  },
): void {
  const { circuit, constants, layers, next, permutation, round, sponge, taken } = parameters;
  const system = layers.inverse.map((row, element) => {
    const terms: Term[] = [];
    let constant = 0n;
    for (const [index, factor] of row.entries()) {
      terms.push([next(index), factor]);
      const word = taken?.(index);
      if (word !== undefined) terms.push([word, FIELD_ORDER - factor]);
      constant -= factor * (constants?.[index] ?? 0n);
    }
    if (permutation + round === 0 && (element === 0 || element > sponge.taken)) {
      const known = (layers.roundConstants[0]?.[element] ?? 0n) + (element === 0 ? sponge.tag : 0n);
      const power = inField(known) ** 5n;
      return circuit.rows.addLinear(sumOf(terms), inField(constant - power));
    }
    const wire = sponge.power(permutation, round, element);
    return addPower({ circuit, wire, terms, constant });
  });
  circuit.systems.push(system);
}

function addPartialRounds({ circuit, layers, permutation, sponge }: At): void {
  const { left, partialRounds, powers } = layers;
  const wires = Array.from({ length: sponge.width + partialRounds }, (_, index) =>
    index > 0 && index < sponge.width
      ? sponge.carried(permutation, index)
      : sponge.power(permutation, HALF + Math.max(0, index - sponge.width + 1), 0),
  );
  const termsOf = ({ coefficients }: PartialSum) =>
    coefficients.map((factor, index) => [wires[index] as number, factor] as const);
  for (const [round, power] of powers.entries()) {
    const wire = sponge.power(permutation, HALF + round, 0);
    addPower({ circuit, wire, terms: termsOf(power), constant: power.constant });
  }
  for (const [index, sum] of left.entries()) {
    const wire = sponge.power(permutation, HALF + partialRounds, index + 1);
    circuit.rows.addLinear(sumOf([...termsOf(sum), [wire, -1n]]), sum.constant);
  }
}

/** Three rows: the square of a wire, its square, and the fifth power, which is a sum. Returns the last one. */
function addPower(parameters: {
  circuit: CircuitBuilder;
  wire: number;
  terms: readonly Term[];
  constant: bigint;
}): number {
  const { circuit, constant, terms, wire } = parameters;
  const [x, square, fourth] = [wireSum(wire), wireSum(wire + 1), wireSum(wire + 2)];
  circuit.rows.add({ a: x, b: x, c: square });
  circuit.rows.add({ a: square, b: square, c: fourth });
  return circuit.rows.add({ a: fourth, b: x, c: sumOf([[0, constant], ...terms]) });
}

type Term = readonly [wire: number, factor: bigint];

/** Terms in the order of their wires, without those that are 0. */
function sumOf(terms: readonly Term[]): FieldTerms {
  const sorted = terms
    .map(([wire, factor]) => [wire, inField(factor)] as const)
    .filter(([, factor]) => factor !== 0n)
    .sort(([one], [other]) => one - other);
  return {
    wires: sorted.map(([wire]) => wire),
    coefficients: sorted.map(([, factor]) => factor),
  };
}

/**
 * Follows the elements through the rounds of one power as sums. With matrix M and elements x_0, ..., of which x_0 alone is raised, the
 * next round's x_0 is N = M_00 x_0^5 + sum of M_0m x_m + c_0, so that x_0^5 is a sum of N and of what is there; put into the next
 * round's x_j, this makes them sums too: (M_j0 / M_00) (N - c_0) + sum of (M_jm - M_j0 M_0m / M_00) x_m + c_j.
 */
function layersOf(width: number): Layers {
  const before = known.get(width);
  if (before !== undefined) return before;
  const constants = poseidonConstants(width);
  const { matrix, partialRounds, roundConstants } = constants;
  const inverse = invertMatrix(matrix);
  if (inverse === undefined) throw new RangeError(`the matrix of width ${width} has no inverse`);
  const [top = []] = matrix;
  const scale = invertElement(top[0] as bigint);
  const ratios = matrix.map((row) => inField((row[0] as bigint) * scale));
  const others = matrix.map((row, element) =>
    row.map((value, index) =>
      inField(value - (ratios[element] as bigint) * (top[index] as bigint)),
    ),
  );
  const powers: PartialSum[] = [];
  // x_1, x_2, ... of the round at hand
  let sums: PartialSum[] = Array.from({ length: width - 1 }, (_, index) => ({
    coefficients: Array.from({ length: width }, (__, wire) => (wire === index + 1 ? 1n : 0n)),
    constant: 0n,
  }));
  for (let round = 0; round < partialRounds; round++) {
    const added = roundConstants[HALF + round + 1] ?? [];
    const [first = 0n] = added;
    /** sum of factor x_m for m > 0, and of the new element, and a constant */
    const combined = (factors: readonly bigint[], ofNew: bigint, constant: bigint): PartialSum => ({
      coefficients: [
        ...(sums[0]?.coefficients ?? []).map((_, wire) => dot(factors, sums, wire)),
        inField(ofNew),
      ],
      constant: inField(
        sums.reduce((sum, x, index) => sum + (factors[index + 1] as bigint) * x.constant, constant),
      ),
    });
    powers.push(
      combined(
        top.map((value) => inField(-value * scale)),
        scale,
        -first * scale,
      ),
    );
    sums = sums.map((_, index) => {
      const element = index + 1;
      const ratio = ratios[element] as bigint;
      const constant = (added[element] as bigint) - ratio * first;
      return combined(others[element] as bigint[], ratio, constant);
    });
  }
  const layers = { ...constants, inverse, powers, left: sums };
  known.set(width, layers);
  return layers;
}

function dot(factors: readonly bigint[], sums: readonly PartialSum[], wire: number): bigint {
  let sum = 0n;
  for (let index = 0; index < sums.length; index++) {
    sum += (factors[index + 1] as bigint) * (sums[index]?.coefficients[wire] as bigint);
  }
  return sum % FIELD_ORDER;
}

import { describe, expect, it } from "vitest";
import { createConstraintChecker } from "../src/constraintChecker.ts";
import { FIELD_ORDER } from "../src/field.ts";
import { mutateWitness, seededRandom } from "../src/mutateWitness.ts";
import type { Constraint, LinearCombination, R1cs } from "../src/readR1cs.ts";

/** Coefficients by wire; 0 is the constant 1. */
type Sum = Readonly<Record<number, bigint>>;

const combination = (sum: Sum): LinearCombination => ({
  wires: Uint32Array.from(Object.keys(sum), Number),
  coefficients: Object.values(sum),
});

const row = (a: Sum, b: Sum, c: Sum): Constraint => ({
  a: combination(a),
  b: combination(b),
  c: combination(c),
});

const isBoolean = (wire: number): Constraint => row({ [wire]: 1n }, { 0: -1n, [wire]: 1n }, {});

/** Wire 1 is a public input. */
function circuitOf(constraints: Constraint[], wireCount: number): R1cs {
  return {
    fieldOrder: FIELD_ORDER,
    fieldSize: 32,
    wireCount,
    publicOutputCount: 0,
    publicInputCount: 1,
    privateInputCount: 0,
    constraintCount: constraints.length,
    constraintsOffset: 0,
    constraints,
  };
}

function unnoticedChanges(r1cs: R1cs, witness: readonly bigint[]): Map<number, bigint>[] {
  const checker = createConstraintChecker(r1cs);
  expect(checker.firstViolated(witness)).toBe(undefined);
  return mutateWitness({ r1cs, checker, witness, random: seededRandom(1n), groups: 300 });
}

describe("mutateWitness", () => {
  it("finds nothing in a decomposition that is whole", () => {
    const digits = [2, 3, 4];
    const sum = row({}, {}, { 1: -1n, 2: 1n, 3: 2n, 4: 4n });
    const r1cs = circuitOf([...digits.map(isBoolean), sum], 5);
    expect(unnoticedChanges(r1cs, [1n, 5n, 1n, 0n, 1n])).toEqual([]);
  });

  it("finds a wire that a row reads and none pins", () => {
    const r1cs = circuitOf([row({}, {}, { 1: -1n, 2: 1n }), isBoolean(3)], 4);
    expect(unnoticedChanges(r1cs, [1n, 7n, 7n, 1n])).toContainEqual(new Map([[3, 0n]]));
  });

  it("finds a group of wires that is loose though each of them is tied", () => {
    // what no row ties to its remainder's range: a quotient may give what its remainder takes
    const r1cs = circuitOf([row({}, {}, { 1: -1n, 2: 1n, 3: 1n })], 4);
    const changes = unnoticedChanges(r1cs, [1n, 0n, 1n, -1n]);
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.every((change) => change.has(2) && change.has(3))).toBe(true);
  });
});

import type { Constraint, LinearCombination, R1cs } from "./readR1cs.ts";

/** Evaluates constraints over a witness, all of them or only those that read given wires. */
export type ConstraintChecker = {
  /** indices of the constraints that read a wire */
  constraintsOf: (wire: number) => readonly number[];
  /** whether one constraint is satisfied */
  holds: (parameters: { witness: readonly bigint[]; index: number }) => boolean;
  /** first violated constraint of the whole system, or undefined */
  firstViolated: (witness: readonly bigint[]) => number | undefined;
  /**
   * Whether some constraint breaks when `changes` (wire -> value) replace values of a witness that satisfies
   * everything. Looks only at constraints that read a changed wire.
   */
  breaks: (parameters: {
    witness: readonly bigint[];
    changes: ReadonlyMap<number, bigint>;
  }) => boolean;
};

export function createConstraintChecker(r1cs: R1cs): ConstraintChecker {
  const readers: number[][] = Array.from({ length: r1cs.wireCount }, () => []);
  for (const [index, { a, b, c }] of r1cs.constraints.entries()) {
    for (const wire of new Set([...a.wires, ...b.wires, ...c.wires])) {
      readers[wire]?.push(index);
    }
  }
  const holds = (constraint: Constraint, value: (wire: number) => bigint): boolean => {
    const product = evaluate(constraint.a, value) * evaluate(constraint.b, value);
    return (product - evaluate(constraint.c, value)) % r1cs.fieldOrder === 0n;
  };
  const constraintsOf = (wire: number): readonly number[] => readers[wire] ?? [];
  return {
    constraintsOf,
    holds: ({ witness, index }) => {
      const constraint = r1cs.constraints[index];
      return constraint !== undefined && holds(constraint, (wire) => witness[wire] ?? 0n);
    },
    firstViolated: (witness) => {
      const index = r1cs.constraints.findIndex(
        (constraint) => !holds(constraint, (wire) => witness[wire] ?? 0n),
      );
      return index === -1 ? undefined : index;
    },
    breaks: ({ witness, changes }) => {
      const value = (wire: number) => changes.get(wire) ?? witness[wire] ?? 0n;
      for (const wire of changes.keys()) {
        for (const index of constraintsOf(wire)) {
          if (!holds(r1cs.constraints[index] as Constraint, value)) {
            return true;
          }
        }
      }
      return false;
    },
  };
}

function evaluate(combination: LinearCombination, value: (wire: number) => bigint): bigint {
  let sum = 0n;
  for (let i = 0; i < combination.wires.length; i++) {
    sum += (combination.coefficients[i] as bigint) * value(combination.wires[i] as number);
  }
  return sum;
}

import { toField } from "../../src/witnessCalculator.ts";
import type { TestCircuit } from "./compileTemplate.ts";

/**
 * Every assignment that satisfies all constraints of a small circuit: what a dishonest prover can choose from.
 * Signals in `fixed` have the given value; all others run through `candidates(name)`.
 * Returns one record of signals per solution.
 */
export function enumerateSolutions(parameters: {
  circuit: TestCircuit;
  fixed: Readonly<Record<string, bigint>>;
  candidates: (signal: string) => readonly bigint[];
}): Map<string, bigint>[] {
  const { circuit, fixed, candidates } = parameters;
  const { r1cs, checker, symbols } = circuit;
  const nameOf = new Map<number, string>();
  for (const [name, wire] of symbols) {
    if (wire > 0 && !nameOf.has(wire)) {
      nameOf.set(wire, name);
    }
  }
  const known = new Map<number, bigint>();
  for (const [name, value] of Object.entries(fixed)) {
    const wire = symbols.get(name);
    if (wire === undefined || wire < 0) {
      throw new Error(`signal ${name} has no wire`);
    }
    known.set(wire, toField(value));
  }
  // constraints become checkable when their last wire gets a value
  const lastWire = r1cs.constraints.map(({ a, b, c }) =>
    Math.max(0, ...a.wires, ...b.wires, ...c.wires),
  );
  const solutions: Map<string, bigint>[] = [];
  const witness: bigint[] = new Array(r1cs.wireCount).fill(0n);
  witness[0] = 1n;
  const holdsUpTo = (wire: number): boolean =>
    lastWire.every((last, index) => last !== wire || checker.holds({ witness, index }));
  const assign = (wire: number): void => {
    if (wire === r1cs.wireCount) {
      solutions.push(new Map([...nameOf].map(([at, name]) => [name, witness[at] as bigint])));
      return;
    }
    const value = known.get(wire);
    const options = value === undefined ? candidates(nameOf.get(wire) ?? "") : [value];
    for (const option of options) {
      witness[wire] = toField(option);
      if (holdsUpTo(wire)) {
        assign(wire + 1);
      }
    }
  };
  assign(1);
  return solutions;
}

/** What a digit could be: right values, and some that only a missing constraint would let through. */
export const DIGITS: readonly bigint[] = [0n, 1n, 2n, -1n];

/** Integers from `minimum` to `maximum`. */
export function range(minimum: bigint, maximum: bigint): bigint[] {
  return Array.from({ length: Number(maximum - minimum) + 1 }, (_, i) => minimum + BigInt(i));
}

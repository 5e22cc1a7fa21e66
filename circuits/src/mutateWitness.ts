import type { ConstraintChecker } from "./constraintChecker.ts";
import { toField } from "./field.ts";
import type { R1cs, R1csHeader } from "./readR1cs.ts";

/** A source of numbers in [0, limit). */
export type RandomBelow = (limit: bigint) => bigint;

/** A change that no constraint noticed: wire -> value. */
export type UnnoticedChange = Map<number, bigint>;

/**
 * The mutation test of a circuit: takes a witness that satisfies it, changes single wires and random groups of wires
 * without recomputing anything, and returns the changes that break no constraint. A sound circuit returns none.
 *
 * Public inputs are left alone unless named in `wires`: with another input the circuit proves another statement, and
 * nothing says that it must be a false one.
 */
export function mutateWitness(parameters: {
  r1cs: R1cs;
  checker: ConstraintChecker;
  witness: readonly bigint[];
  random: RandomBelow;
  /** wires to change, alone and in groups; default: all but the public inputs */
  wires?: readonly number[];
  /** number of random groups */
  groups: number;
}): UnnoticedChange[] {
  const { r1cs, checker, witness, random, groups } = parameters;
  const wires = parameters.wires ?? mutableWires(r1cs);
  const unnoticed: UnnoticedChange[] = [];
  const attempt = (changes: UnnoticedChange): void => {
    if (!checker.breaks({ witness, changes })) {
      unnoticed.push(changes);
    }
  };
  for (const wire of wires) {
    for (const value of otherValues({ value: witness[wire] ?? 0n, random, r1cs })) {
      attempt(new Map([[wire, value]]));
    }
  }
  for (let i = 0; i < groups; i++) {
    const changes: UnnoticedChange = new Map();
    const size = 2n + random(8n);
    for (let j = 0n; j < size; j++) {
      const wire = wires[Number(random(BigInt(wires.length)))] as number;
      const values = otherValues({ value: witness[wire] ?? 0n, random, r1cs });
      changes.set(wire, values[Number(random(BigInt(values.length)))] as bigint);
    }
    attempt(changes);
  }
  return unnoticed;
}

/** Public outputs and everything private. */
export function mutableWires(r1cs: R1csHeader): number[] {
  const firstInput = 1 + r1cs.publicOutputCount;
  const firstPrivate = firstInput + r1cs.publicInputCount;
  const wires = Array.from({ length: r1cs.wireCount - 1 }, (_, index) => index + 1);
  return wires.filter((wire) => wire < firstInput || wire >= firstPrivate);
}

/** Values near and far from the right one; digits are flipped. */
function otherValues(parameters: { value: bigint; random: RandomBelow; r1cs: R1cs }): bigint[] {
  const { value, random, r1cs } = parameters;
  const candidates = [0n, 1n, value + 1n, value - 1n, -value, 2n * value, random(r1cs.fieldOrder)];
  return [...new Set(candidates.map(toField))].filter((candidate) => candidate !== value);
}

/** A reproducible source of numbers (xorshift64*), for tests that name their seed. */
export function seededRandom(seed: bigint): RandomBelow {
  let state = BigInt.asUintN(64, seed) || 1n;
  const next = (): bigint => {
    state ^= state >> 12n;
    state = BigInt.asUintN(64, state ^ (state << 25n));
    state ^= state >> 27n;
    return BigInt.asUintN(64, state * 0x2545f4914f6cdd1dn);
  };
  return (limit) => {
    const wide = (next() << 192n) | (next() << 128n) | (next() << 64n) | next();
    return wide % limit;
  };
}

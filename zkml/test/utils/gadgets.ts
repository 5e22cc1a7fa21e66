import { createConstraintChecker } from "@haca/circuits/constraintChecker";
import { readR1cs } from "@haca/circuits/readR1cs";
import { CircuitBuilder } from "../../src/circuit/circuitBuilder.ts";
import { type Sum, wireSum } from "../../src/circuit/sum.ts";
import { r1csBytes } from "./layOutModel.ts";

/** What a digit could be: right values, and some that only a missing row would let through. */
export const DIGITS = [0n, 1n, 2n, -1n];

export const NAMES = { input: "x", output: "y", scaleExponent: 0 };

export const integers = (least: number, most: number): bigint[] =>
  Array.from({ length: most - least + 1 }, (_, index) => BigInt(least + index));

/** A gadget over inputs that a test fixes; `sum` is its result. */
export type Gadget = { circuit: CircuitBuilder; inputs: number; sum: Sum };

/**
 * What a dishonest prover can choose from: the results of all assignments of the gadget's wires from `candidates` that
 * satisfy every row. Not one number of it comes from the witness plan.
 */
export function resultsOf(parameters: {
  gadget: Gadget;
  inputs: readonly bigint[];
  candidates: (name: string) => readonly bigint[];
}): bigint[] {
  const { circuit, inputs: count, sum } = parameters.gadget;
  const { rows, wireCount, blocks } = circuit;
  const r1cs = readR1cs(r1csBytes({ rows, wireCount, publicCount: count }));
  const checker = createConstraintChecker(r1cs);
  const names = blocks.flatMap((block) => new Array<string>(block.count).fill(block.name));
  const last = r1cs.constraints.map(({ a, b, c }) => Math.max(...a.wires, ...b.wires, ...c.wires));
  const ending = names.map((_, index) => [...last.keys()].filter((row) => last[row] === index + 1));
  const witness = [1n, ...parameters.inputs];
  const results: bigint[] = [];
  const assign = (wire: number): void => {
    if (wire === wireCount) {
      const terms = sum.wires.map((w, i) => BigInt(sum.coefficients[i] ?? 0) * (witness[w] ?? 0n));
      results.push(terms.reduce((total, term) => total + term, BigInt(sum.constant)));
      return;
    }
    const isInput = wire <= count;
    for (const value of isInput
      ? [witness[wire] as bigint]
      : parameters.candidates(names[wire - 1] as string)) {
      witness[wire] = value;
      if ((ending[wire - 1] ?? []).every((index) => checker.holds({ witness, index }))) {
        assign(wire + 1);
      }
    }
  };
  assign(1);
  return results;
}

export function gadgetOf(
  inputs: number,
  add: (circuit: CircuitBuilder, sums: Sum[]) => Sum,
): Gadget {
  const circuit = new CircuitBuilder();
  const wires = circuit.take("in", inputs);
  return { circuit, inputs, sum: add(circuit, wires.map(wireSum)) };
}

import type { IntegerNode } from "@haca/model-runtime/integerModel";
import type { AffineNode } from "../kinds/irGraph.ts";
import { scaleExponentFor, toInteger } from "./scale.ts";

/**
 * Integer weights and biases of an affine node: one power-of-two scale for all its weights, chosen so that the
 * greatest fills `weightBits` bits; biases at the accumulator's scale, input scale + weight scale.
 */
export function quantiseAffine(parameters: {
  node: AffineNode;
  input: string;
  inputExponent: number;
  weightBits: number;
}): Extract<IntegerNode, { kind: "affine" }> {
  const { node, input, inputExponent, weightBits } = parameters;
  let largest = 0;
  for (const { weights } of node.rows) {
    for (const weight of weights) {
      largest = Math.max(largest, Math.abs(weight));
    }
  }
  const weightExponent = simplify({
    node,
    exponent: scaleExponentFor({ largest, limit: 2 ** (weightBits - 1) - 1 }),
  });
  const scaleExponent = inputExponent + weightExponent;
  return {
    kind: "affine",
    input,
    output: node.output,
    inputCount: node.inputCount,
    scaleExponent,
    rows: node.rows.map(({ indices, weights, bias }) => {
      const row = { indices: [] as number[], weights: [] as number[] };
      for (const [position, index] of indices.entries()) {
        const weight = toInteger(weights[position] as number, weightExponent);
        if (weight !== 0) {
          row.indices.push(index);
          row.weights.push(weight);
        }
      }
      return { ...row, bias: toInteger(bias, scaleExponent) };
    }),
  };
}

/** A coarser scale where all integer weights share a power of two and no bias needs the finer one. */
function simplify(parameters: { node: AffineNode; exponent: number }): number {
  const { node, exponent } = parameters;
  if (node.rows.some(({ bias }) => bias !== 0)) {
    return exponent;
  }
  const weights = node.rows.flatMap((row) => row.weights.map((w) => toInteger(w, exponent)));
  const isZero = weights.every((weight) => weight === 0);
  let shift = 0;
  while (!isZero && weights.every((weight) => weight % 2 ** (shift + 1) === 0)) {
    shift += 1;
  }
  return exponent + shift;
}

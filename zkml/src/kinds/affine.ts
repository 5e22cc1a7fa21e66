import type { IntegerAffine, IntegerRow } from "@haca/model-runtime/kinds/affine";
import { exactly, type Sum } from "../circuit/sum.ts";
import type { CircuitKind } from "./circuitKind.ts";
import type { AffineMap, GraphNode } from "./kind.ts";
import { quantiseAffine, upperInput } from "./quantiseAffine.ts";
import { coarsest, type QuantisedValue, type Quantiser } from "./quantiser.ts";
import { addRough, isCoarse } from "./rough.ts";

/** A layer reads its input as it is up to this width, and divided by a power of two beyond. */
const MAXIMUM_OPERAND_BITS = 24;

/** A sum that is read so often that this many terms would be copied becomes a wire of its own: one more row. */
const MAXIMUM_COPIED_TERMS = 768;

/** Weighted sums: what Gemm, MatMul, Conv, Add and others become. Costs no constraint of its own. */
export function affineNode(parameters: { input: string; output: string } & AffineMap): GraphNode {
  const { input, output, ...affine } = parameters;
  return {
    inputs: [input],
    output,
    affine,
    ...(affine.rough === undefined ? {} : { isSign: true }),
    compute: (x) =>
      affine.rows.map(({ indices, weights, bias }) => {
        let sum = bias;
        for (let i = 0; i < indices.length; i++) {
          sum += (weights[i] as number) * (x[indices[i] as number] as number);
        }
        return sum;
      }),
    quantise: (quantiser) => {
      const source = quantiser.valueOf(input);
      // bits of the model's input are the person's choice, and are kept
      const asRead = () =>
        quantiser.isInput(source) ? source : quantiser.narrow(source, MAXIMUM_OPERAND_BITS);
      if (isCoarse(affine)) return addRough({ affine, input, output, quantiser, asRead });
      if (affine.rough !== undefined) return quantiser.valueOf(affine.rough.of);
      const upper = upperInput({ affine, source, output, quantiser });
      const { node, exponents } = quantiseAffine({
        ...{ affine, input, output, quantiser },
        operand: upper?.value ?? asRead(),
        centres: source.exponents.map((exponent) => (upper?.centre ?? 0) * 2 ** exponent),
      });
      return quantiser.add(node, exponents);
    },
  };
}

/** Adds weight * x + bias for every element x: no constraint, and exact, in integers at the scale that is given. */
export function addLine(parameters: {
  quantiser: Quantiser;
  source: QuantisedValue;
  output: string;
  weight: number;
  bias: number;
  scaleExponent: number;
}): QuantisedValue {
  const { quantiser, source, output, weight, bias, scaleExponent } = parameters;
  return addRows({
    quantiser,
    source,
    output,
    exponents: source.ranges.map(() => scaleExponent),
    rows: source.ranges.map((_, index) => ({ indices: [index], weights: [weight], bias })),
  });
}

/** Adds integer weighted sums at stated scales. */
export function addRows(parameters: {
  quantiser: Pick<Quantiser, "add">;
  source: QuantisedValue;
  output: string;
  rows: IntegerRow[];
  exponents: readonly number[];
}): QuantisedValue {
  const { quantiser, source, output, rows, exponents } = parameters;
  const node: IntegerAffine = {
    kind: "affine",
    input: source.name,
    output,
    inputCount: source.ranges.length,
    scaleExponent: coarsest(exponents),
    rows,
  };
  return quantiser.add(node, exponents);
}

export const affineCircuit: CircuitKind<IntegerAffine> = {
  addRows: ({ node, input, name, circuit }) => {
    const reads = new Uint32Array(input.length);
    for (const { indices } of node.rows) {
      for (const index of indices) reads[index] = (reads[index] as number) + 1;
    }
    for (const [index, sum] of input.entries()) {
      const terms = sum.wires.length;
      const copied = terms * (reads[index] as number);
      if (terms > 1 && copied > MAXIMUM_COPIED_TERMS && !circuit.isCopied(sum)) {
        input[index] = circuit.wireOrSum(`${name}Operand${index}`, sum);
      }
    }
    return node.rows.map(({ indices, weights, bias }) =>
      exactly(
        indices.map(
          (index, position) => [weights[position] as number, input[index] as Sum] as const,
        ),
        bias,
      ),
    );
  },
};

import type { IntegerAffine, IntegerRow } from "@haca/model-runtime/kinds/affine";
import { exactly, type Sum, wireSum } from "../circuit/sum.ts";
import { type CircuitKind, matrix, vector } from "./circuitKind.ts";
import type { AffineMap, GraphNode } from "./kind.ts";
import { quantiseAffine } from "./quantiseAffine.ts";
import { coarsest, type QuantisedValue, type Quantiser } from "./quantiser.ts";

/** A layer reads its input as it is up to this width, and divided by a power of two beyond. */
const MAXIMUM_OPERAND_BITS = 24;

/** A sum with more terms than this is written as a row of a matrix, not term by term. */
const MAXIMUM_TERMS = 256;

/** A sum that is read so often that this many terms would be copied becomes a wire of its own: one more row. */
const MAXIMUM_COPIED_TERMS = 512;

/** Weighted sums: what Gemm, MatMul, Conv, Add and others become. Costs no constraint of its own. */
export function affineNode(parameters: { input: string; output: string } & AffineMap): GraphNode {
  const { input, output, ...affine } = parameters;
  return {
    inputs: [input],
    output,
    affine,
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
      const operand = quantiser.isInput(source)
        ? source
        : quantiser.narrow(source, MAXIMUM_OPERAND_BITS);
      const { node, exponents } = quantiseAffine({ affine, input, operand, output, quantiser });
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
  template: "dense",
  addRows: ({ node, input, name, circuit }) => {
    const reads = new Uint32Array(input.length);
    for (const { indices } of node.rows) {
      for (const index of indices) reads[index] = (reads[index] as number) + 1;
    }
    for (const [index, sum] of input.entries()) {
      const terms = sum.wires.length;
      if (terms > 1 && terms * (reads[index] as number) > MAXIMUM_COPIED_TERMS) {
        const wire = circuit.wireOf(`${name}Operand${index}`, sum);
        input[index] = wireSum(wire);
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
  constrain: ({ node, input, output }) => ({
    title: `${output.count} weighted sums, scale 2^${node.scaleExponent}`,
    lines: weightedSums({ node, input: input.signal, output: output.signal }),
  }),
};

function weightedSums(parameters: {
  node: IntegerAffine;
  input: string;
  output: string;
}): string[] {
  const { node, input, output } = parameters;
  const { rows, inputCount } = node;
  const terms = rows.reduce((sum, { indices }) => sum + indices.length, 0);
  const isLong = rows.some(({ indices }) => indices.length > MAXIMUM_TERMS);
  if (!isLong && terms * 2 < rows.length * inputCount) {
    return [
      `    signal ${output}[${rows.length}];`,
      ...rows.map((row, index) => `    ${output}[${index}] <== ${weightedSum({ row, input })};`),
    ];
  }
  const weights = rows.map((row) => {
    const full = new Array<number>(inputCount).fill(0);
    for (const [position, index] of row.indices.entries()) {
      full[index] = row.weights[position] as number;
    }
    return full;
  });
  const biases = rows.map(({ bias }) => bias);
  return [
    `    var ${output}Weights[${rows.length}][${inputCount}] = ${matrix(weights)};`,
    `    var ${output}Biases[${rows.length}] = ${vector(biases)};`,
    `    signal ${output}[${rows.length}] <== Dense(${inputCount}, ${rows.length}, ${output}Weights, ${output}Biases)(${input});`,
  ];
}

function weightedSum(parameters: { row: IntegerRow; input: string }): string {
  const { row, input } = parameters;
  const terms = row.indices.map(
    (index, position) => `${row.weights[position]} * ${input}[${index}]`,
  );
  return [...terms, String(row.bias)].join(" + ");
}

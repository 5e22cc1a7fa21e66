import type { IntegerAffine, IntegerRow } from "@haca/model-runtime/kinds/affine";
import { exactly, type Sum, wireSum } from "../circuit/sum.ts";
import { type CircuitKind, matrix, vector } from "./circuitKind.ts";
import type { AffineMap, AffineRow, GraphNode } from "./kind.ts";
import {
  coarsest,
  type QuantisedValue,
  type Quantiser,
  scaleExponentFor,
  toInteger,
} from "./quantiser.ts";

/** A layer reads its input as it is up to this width, and divided by a power of two beyond. */
const MAXIMUM_OPERAND_BITS = 24;

/** Elements narrower than this leave bits of the product free, which go to their weights. */
const USUAL_OPERAND_BITS = 8;

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

/**
 * Digits of the root of the squares of a row's operands, in their integers, at the greatest that calibration shows: rounding
 * weights to a step adds up to about a third of that root, in steps, because roundings go up as often as down.
 */
function reachOf(parameters: {
  row: AffineRow;
  unit: readonly number[];
  seen: readonly number[];
}): number {
  const { row, seen, unit } = parameters;
  const squares = row.indices.reduce(
    (total, index) => total + ((seen[index] ?? 0) / (unit[index] as number)) ** 2,
    0,
  );
  return Math.ceil(Math.log2(Math.max(squares, 1)) / 2);
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

/**
 * Integer weights and biases. Every row has a scale of its own, a power of two at which its greatest weight fills the
 * bits of a weight (an element's own scale belongs to the weight that it meets); a channel's rows share theirs. Where an
 * activation follows, scales are made finer so that all of its elements are divided by the same power of two and yet each
 * fills its bits. Biases are rounded at the scale of their row.
 */
function quantiseAffine(parameters: {
  affine: AffineMap;
  /** the value of the graph that it reads */
  input: string;
  operand: QuantisedValue;
  output: string;
  quantiser: Quantiser;
}): { node: IntegerAffine; exponents: number[] } {
  const { affine, input, operand, output, quantiser } = parameters;
  const { rows, channelSize = 1 } = affine;
  const unit = operand.exponents.map((exponent) => 2 ** exponent);
  const seen = quantiser.magnitudes(input);
  let exponents: number[] = [];
  for (let start = 0; start < rows.length; start += channelSize) {
    const channel = rows.slice(start, start + channelSize);
    const exponent = channelExponent({ channel, unit, seen, quantiser });
    for (const _ of channel) exponents.push(exponent);
  }
  const activation = quantiser.activationOf(output);
  if (activation !== undefined) {
    const wanted = exponents.map((_, index) => quantiser.activationExponent(activation, index));
    // Finer weights than these change an activation by less than what it can tell apart, all of them together. A row of hardly
    // any weight beside its bias would have a scale so fine that all rows of its layer paid for it.
    exponents = exponents.map((exponent, index) => {
      const reach = reachOf({ row: rows[index] as AffineRow, unit, seen });
      return Math.max(exponent, (wanted[index] as number) - reach);
    });
    const shifts = exponents.map((exponent, index) =>
      Math.max(0, (wanted[index] as number) - exponent),
    );
    const most = shifts.reduce((a, b) => Math.max(a, b), 0);
    exponents = exponents.map((exponent, index) => exponent + (shifts[index] as number) - most);
  }
  return {
    exponents,
    node: {
      kind: "affine",
      input: operand.name,
      output,
      inputCount: affine.inputCount,
      scaleExponent: coarsest(exponents),
      rows: rows.map(({ indices, weights, bias }, at) => {
        const exponent = exponents[at] as number;
        const row: IntegerRow = { indices: [], weights: [], bias: toInteger(bias, exponent) };
        for (const [position, index] of indices.entries()) {
          const exact = (weights[position] as number) * (unit[index] as number);
          const weight = toInteger(exact, exponent);
          if (weight !== 0) {
            row.indices.push(index);
            row.weights.push(weight);
          }
        }
        return row;
      }),
    },
  };
}

/**
 * The scale of the sums of one channel. Rounding a weight costs half a step for each integer of the element that it
 * multiplies: the step is such that, for the greatest element, this is the share of the greatest term that the bits of a
 * weight say. Both are those that calibration shows: an element of a wide range whose values are small keeps its say.
 */
function channelExponent(parameters: {
  channel: readonly AffineRow[];
  unit: readonly number[];
  seen: readonly number[];
  quantiser: Quantiser;
}): number {
  const { channel, unit, seen, quantiser } = parameters;
  let greatestTerm = 0;
  let greatestInteger = 0;
  let greatestWeight = 0;
  let greatestBias = 0;
  for (const { indices, weights, bias } of channel) {
    greatestBias = Math.max(greatestBias, Math.abs(bias));
    for (const [position, index] of indices.entries()) {
      const weight = Math.abs(weights[position] as number);
      if (weight === 0) continue;
      const step = unit[index] as number;
      const magnitude = seen[index] ?? 0;
      greatestTerm = Math.max(greatestTerm, weight * magnitude);
      greatestInteger = Math.max(greatestInteger, magnitude / step);
      greatestWeight = Math.max(greatestWeight, weight * step);
    }
  }
  const isSeen = greatestTerm > 0;
  const largest = isSeen ? greatestTerm / greatestInteger : greatestWeight || greatestBias;
  const width = isSeen ? Math.ceil(Math.log2(greatestInteger + 1)) : USUAL_OPERAND_BITS;
  const bits = quantiser.options.weightBits - 1 + Math.max(0, USUAL_OPERAND_BITS - width);
  return simplify({ channel, unit, exponent: scaleExponentFor({ largest, limit: 2 ** bits - 1 }) });
}

/** A coarser scale where all integer weights and biases share a power of two exactly, such as those of plain wires. */
function simplify(parameters: {
  channel: readonly AffineRow[];
  unit: readonly number[];
  exponent: number;
}): number {
  const { channel, unit } = parameters;
  let { exponent } = parameters;
  const isWhole = (value: number, at: number): boolean => Number.isInteger(value / 2 ** at);
  const isExact = (at: number): boolean =>
    channel.every(
      ({ indices, weights, bias }) =>
        isWhole(bias, at) &&
        indices.every((index, position) => {
          const weight = (weights[position] as number) * (unit[index] as number);
          return isWhole(toInteger(weight, exponent) * 2 ** exponent, at);
        }),
    );
  const hasAny = channel.some(({ weights, bias }) => bias !== 0 || weights.some((w) => w !== 0));
  while (hasAny && isExact(exponent + 1)) exponent += 1;
  return exponent;
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

import {
  affine as affineKind,
  type IntegerAffine,
  type IntegerRow,
} from "@haca/model-runtime/kinds/affine";
import type { AffineMap, AffineRow } from "./kind.ts";
import {
  coarsest,
  finest,
  type QuantisedValue,
  type Quantiser,
  scaleExponentFor,
  toInteger,
  widthOf,
} from "./quantiser.ts";

/** Elements narrower than this leave bits of the product free, which go to their weights. */
const USUAL_OPERAND_BITS = 8;

/** What is rounded to integers is off by this, as a root mean square. */
const ROUNDING = Math.sqrt(1 / 12);

/**
 * What the rounding of all weights of a row may add to an activation, in its steps: four times what its own rounding adds,
 * before the mean goes into the bias. Each halving would cost a digit of every sum.
 */
const MAXIMUM_ROUNDING = 4 * ROUNDING;

/**
 * So many bits fewer than a weight has those have that only a sign depends on: the upper digits of what is read, and the share of
 * a row's root mean square that rounding its weights may add. What is confused is so nearly equal that the loss goes with the
 * square of that share.
 */
const BITS_SPARED_BY_SIGNS = 3;

/**
 * Integer weights and biases. Every row has a scale of its own, a power of two at which its greatest weight fills the
 * bits of a weight (an element's own scale belongs to the weight that it meets); a channel's rows share theirs. Where an
 * activation follows, a row has no finer weights than it can tell apart: the division that follows is its own. Biases are
 * rounded at the scale of their row, and take in what rounding the weights adds to the mean of the calibration samples.
 */
export function quantiseAffine(parameters: {
  affine: AffineMap;
  /** the value of the graph that it reads */
  input: string;
  operand: QuantisedValue;
  output: string;
  quantiser: Quantiser;
  /** what each element of the operand lacks of the value, on the average; default 0 */
  centres?: readonly number[];
}): { node: IntegerAffine; exponents: number[] } {
  const { affine, input, operand, output, quantiser, centres = [] } = parameters;
  const { rows, channelSize = 1, inputCount } = affine;
  const unit = operand.exponents.map((exponent) => 2 ** exponent);
  const seen = quantiser.magnitudes(input);
  const sizes = quantiser.rootMeanSquares(input);
  const means = quantiser.means(input).map((mean, index) => mean - (centres[index] ?? 0));
  let exponents: number[] = [];
  for (let start = 0; start < rows.length; start += channelSize) {
    const channel = rows.slice(start, start + channelSize);
    const exponent = channelExponent({ channel, unit, seen, quantiser });
    for (const _ of channel) exponents.push(exponent);
  }
  const exponentAfter = quantiser.exponentAfter(output);
  if (exponentAfter !== undefined) {
    exponents = exponents.map((exponent, index) => {
      const size = sizeOf({ row: rows[index] as AffineRow, unit, sizes });
      const reach = Math.round(Math.log2(Math.max((size * ROUNDING) / MAXIMUM_ROUNDING, 1)));
      return Math.max(exponent, (exponentAfter(index) ?? exponent) - reach);
    });
  }
  if (isCoarse(affine)) exponents = signExponents({ ...parameters, exponents, unit });
  const integersAt = (at: readonly number[]): IntegerAffine => ({
    kind: "affine",
    input: operand.name,
    output,
    inputCount,
    scaleExponent: coarsest(at),
    rows: rows.map((row, index) =>
      quantiseRow({ row, exponent: at[index] as number, unit, means, centres }),
    ),
  });
  if (!quantiser.isCompared(output)) return { exponents, node: integersAt(exponents) };
  // One scale for all: the finest of them, or one nearer to the coarsest where an output would have to be divided, which costs
  // a digit for each of its bits.
  const most = coarsest(exponents);
  for (let shared = finest(exponents); ; shared++) {
    const alike = exponents.map(() => shared);
    const node = integersAt(alike);
    const ranges = shared < most ? affineKind.bounds(node, operand.ranges) : [];
    if (widthOf({ name: output, exponents: alike, ranges }) <= quantiser.options.outputBits) {
      return { exponents: alike, node };
    }
  }
}

/** Bits of what a row reads whose sign alone is read. */
export const signBits = ({ options }: Quantiser): number =>
  Math.max(2, options.weightBits - BITS_SPARED_BY_SIGNS);

/** Whether signs alone are read of sums that have weights: two elements side by side are compared exactly. */
export function isCoarse({ isSign, rows }: AffineMap): boolean {
  return isSign === true && rows.some(({ indices }) => indices.length > 2);
}

/** The coarsest scales at which signs are still those of sums that usually occur. */
function signExponents(parameters: {
  affine: AffineMap;
  input: string;
  output: string;
  quantiser: Quantiser;
  exponents: readonly number[];
  unit: readonly number[];
}): number[] {
  const { affine, input, output, quantiser, exponents, unit } = parameters;
  const { rows, channelSize = 1 } = affine;
  const means = quantiser.means(input);
  // without the mean, which goes into the bias
  const sizes = quantiser
    .rootMeanSquares(input)
    .map((size, index) => Math.sqrt(Math.max(0, size ** 2 - (means[index] as number) ** 2)));
  const sums = quantiser.rootMeanSquares(output);
  const share = 4 / 2 ** signBits(quantiser);
  return exponents.map((exponent, index) => {
    const size = sizeOf({ row: rows[index] as AffineRow, unit, sizes });
    const start = index - (index % channelSize);
    const channel = sums.slice(start, start + channelSize);
    const usual = Math.sqrt(channel.reduce((sum, x) => sum + x ** 2, 0) / channel.length);
    return usual === 0 || size === 0
      ? exponent
      : Math.max(exponent, Math.floor(Math.log2((usual * share) / (size * ROUNDING))));
  });
}

/** The integers of a row. The mean error of its weights is taken out of the bias: what they add is a deviation only. */
function quantiseRow(parameters: {
  row: AffineRow;
  exponent: number;
  unit: readonly number[];
  means: readonly number[];
  centres: readonly number[];
}): IntegerRow {
  const { row, exponent, unit, means, centres } = parameters;
  const integers: IntegerRow = { indices: [], weights: [], bias: 0 };
  let lost = 0;
  for (const [position, index] of row.indices.entries()) {
    const exact = row.weights[position] as number;
    const step = unit[index] as number;
    const weight = toInteger(exact * step, exponent);
    lost += (exact - (weight * 2 ** exponent) / step) * (means[index] ?? 0);
    lost += exact * (centres[index] ?? 0);
    if (weight !== 0) {
      integers.indices.push(index);
      integers.weights.push(weight);
    }
  }
  integers.bias = toInteger(row.bias + lost, exponent);
  return integers;
}

/** The root of the squares of a row's operands, in their integers, over the calibration samples. */
function sizeOf(parameters: {
  row: AffineRow;
  unit: readonly number[];
  sizes: readonly number[];
}): number {
  const { row, sizes, unit } = parameters;
  const squares = row.indices.reduce(
    (total, index) => total + ((sizes[index] ?? 0) / (unit[index] as number)) ** 2,
    0,
  );
  return Math.sqrt(squares);
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

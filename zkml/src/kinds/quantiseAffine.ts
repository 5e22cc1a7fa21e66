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
export const ROUNDING = Math.sqrt(1 / 12);

/**
 * What the rounding of all weights of a row may add to an activation, in its steps: four times what its own rounding adds,
 * before the mean goes into the bias. Each halving would cost a digit of every sum.
 */
const MAXIMUM_ROUNDING = 4 * ROUNDING;

/** Of that, what leaving out digits of the input may add. */
const SHARE_OF_DIGITS = 3 / 4;

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
  /** what each element of the operand lacks of the value, on the average */
  centres: readonly number[];
}): { node: IntegerAffine; exponents: number[] } {
  const { affine, input, operand, output, quantiser, centres } = parameters;
  const { rows, channelSize = 1, inputCount } = affine;
  const unit = operand.exponents.map((exponent) => 2 ** exponent);
  const seen = quantiser.magnitudes(input);
  const sizes = quantiser.rootMeanSquares(input);
  const means = quantiser.means(input);
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

/**
 * The upper digits of the model's input, where an activation follows that could not tell the others apart: what they add is below
 * what the rounding of weights may, and each that is left out is one less of every sum. They are there already.
 */
export function upperInput(parameters: {
  affine: AffineMap;
  source: QuantisedValue;
  output: string;
  quantiser: Quantiser;
}): ReturnType<Quantiser["upper"]> {
  const { affine, source, output, quantiser } = parameters;
  const exponentAfter = quantiser.exponentAfter(output);
  if (exponentAfter === undefined || !quantiser.isInput(source)) return undefined;
  const unit = source.exponents.map((exponent) => 2 ** exponent);
  const most = affine.rows.flatMap((row, index) => {
    const size = weightSizeOf({ row, unit });
    const exponent = exponentAfter(index);
    return exponent === undefined || size === 0
      ? []
      : [(SHARE_OF_DIGITS * MAXIMUM_ROUNDING * 2 ** exponent) / (ROUNDING * size)];
  });
  const least = most.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const shift = Number.isFinite(least) ? Math.floor(Math.log2(least)) : 0;
  return quantiser.upper(source, { shift, readers: affine.rows.length });
}

/** The root of the squares of a row's weights, by the integers that they multiply. */
export function weightSizeOf(parameters: { row: AffineRow; unit: readonly number[] }): number {
  const { row, unit } = parameters;
  const squares = row.indices.reduce(
    (sum, index, at) => sum + ((row.weights[at] as number) * (unit[index] as number)) ** 2,
    0,
  );
  return Math.sqrt(squares);
}

/**
 * The integers of a row. The mean error of its weights is taken out of the bias: what they add is a deviation only; and so is
 * what each element of the operand lacks of the value on the average (`centres`).
 */
export function quantiseRow(parameters: {
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
    const centre = centres[index] ?? 0;
    lost += (exact - (weight * 2 ** exponent) / step) * ((means[index] ?? 0) - centre);
    lost += exact * centre;
    if (weight !== 0) {
      integers.indices.push(index);
      integers.weights.push(weight);
    }
  }
  integers.bias = toInteger(row.bias + lost, exponent);
  return integers;
}

/** The root of the squares of a row's operands, in their integers, over the calibration samples. */
export function sizeOf(parameters: {
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

import type { IntegerNode } from "@haca/model-runtime/integerModel";
import { elementWidth, type Range, unionRange } from "@haca/model-runtime/kinds/ranges";

/**
 * A value of the integer model while it is built: an integer q of its element i stands for q * 2^exponents[i]. Elements
 * may differ in scale as long as only weighted sums read them, whose weights take the difference in.
 */
export type QuantisedValue = {
  name: string;
  exponents: readonly number[];
  ranges: readonly Range[];
};

/** What a node of the graph needs to become nodes of the integer model. */
export type Quantiser = {
  options: {
    /** bits of a weight, sign included */
    weightBits: number;
    /** bits of a hidden activation over the range that calibration shows */
    activationBits: number;
    /** bits of an output, at most */
    outputBits: number;
  };
  /** what a value of the graph has become */
  valueOf: (name: string) => QuantisedValue;
  /** the greatest magnitude of a value of the graph over the calibration samples */
  largest: (name: string) => number;
  /** the greatest magnitude of each element of a value of the graph over the calibration samples */
  magnitudes: (name: string) => readonly number[];
  /** the root mean square of each element of a value of the graph over the calibration samples */
  rootMeanSquares: (name: string) => readonly number[];
  /** the mean of each element of a value of the graph over the calibration samples */
  means: (name: string) => readonly number[];
  /** whether the elements of a value of the graph are compared with each other, so that they need one scale */
  isCompared: (name: string) => boolean;
  /** the scale at which an element of an activation fills the bits of one over the calibration samples */
  activationExponent: (name: string, index: number) => number;
  /**
   * where an activation reads a value of the graph, as it is or the greatest of its elements: the scale at which it fills the
   * bits of an activation, by the element of the value; undefined for an element that it does not read
   */
  exponentAfter: (name: string) => ((index: number) => number | undefined) | undefined;
  /** whether a value is the input of the model */
  isInput: (value: QuantisedValue) => boolean;
  /** adds a node to the integer model; it may read whatever was added before */
  add: (node: IntegerNode, exponents: readonly number[]) => QuantisedValue;
  /** a value divided by 2^shift and rounded, as a value of its own */
  rescale: (value: QuantisedValue, shift: number) => QuantisedValue;
  /** the same value in no more than so many bits: wide elements are divided and rounded, narrow ones keep their scale */
  narrow: (value: QuantisedValue, bits: number) => QuantisedValue;
  /**
   * the digits of the input or of a ReLU from `shift` up, fewer of them left out where calibration would show less than two, and the
   * real number to add to each; undefined where the value is neither, or so few sums read it that it would cost rows
   */
  upper: (
    source: QuantisedValue,
    options: { shift: number; readers: number },
  ) => { value: QuantisedValue; centre: number; shift: number } | undefined;
  /** every element multiplied by 2^by, at a scale as much finer: exact */
  refine: (parameters: {
    source: QuantisedValue;
    output: string;
    by: readonly number[];
  }) => QuantisedValue;
  /** the same value with all elements at one scale, the finest of them */
  alike: (value: QuantisedValue) => QuantisedValue;
};

/** The greatest of exponents. */
export function coarsest(exponents: readonly number[]): number {
  return exponents.reduce((most, exponent) => Math.max(most, exponent), Number.NEGATIVE_INFINITY);
}

/** The least of exponents. */
export function finest(exponents: readonly number[]): number {
  return exponents.reduce((least, exponent) => Math.min(least, exponent), Number.POSITIVE_INFINITY);
}

/** Width that holds every element of a value. */
export function widthOf(value: QuantisedValue): number {
  return elementWidth(unionRange(value.ranges)).bits;
}

/** Smallest e for which `largest / 2^e`, rounded, does not exceed `limit`. `largest` 0 gives 0. */
export function scaleExponentFor(parameters: { largest: number; limit: number }): number {
  const { largest, limit } = parameters;
  if (largest === 0) {
    return 0;
  }
  let exponent = Math.ceil(Math.log2(largest / limit)) - 1;
  while (Math.round(largest / 2 ** exponent) > limit) {
    exponent += 1;
  }
  return exponent;
}

/**
 * By how many binary digits to divide an activation at scale 2^scaleExponent so that magnitudes up to `largest` fill
 * the bits of an activation; 0 where they do not even reach that.
 */
export function activationShift(parameters: {
  quantiser: Quantiser;
  largest: number;
  scaleExponent: number;
}): number {
  const { quantiser, largest, scaleExponent } = parameters;
  const limit = 2 ** quantiser.options.activationBits - 1;
  return Math.max(0, scaleExponentFor({ largest, limit }) - scaleExponent);
}

/** The integer nearest to `value / 2^exponent`, halves away from zero. */
export function toInteger(value: number, exponent: number): number {
  const scaled = value / 2 ** exponent;
  const rounded = Math.sign(scaled) * Math.round(Math.abs(scaled));
  return rounded === 0 ? 0 : rounded;
}

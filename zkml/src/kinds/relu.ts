import { type Range, signedWidth } from "@haca/model-runtime/kinds/ranges";
import {
  halfOf,
  type IntegerRelu,
  type IntegerRescale,
  type Shifts,
  shiftAt,
} from "@haca/model-runtime/kinds/rescale";
import type { CircuitBuilder, Product } from "../circuit/circuitBuilder.ts";
import { constantSum, digitSum, exactly, type Sum, wireSum } from "../circuit/sum.ts";
import type { CircuitKind } from "./circuitKind.ts";
import type { GraphNode, Operator } from "./kind.ts";
import { requireValue } from "./operands.ts";
import { coarsest, type QuantisedValue, type Quantiser } from "./quantiser.ts";
import { saturate } from "./saturate.ts";

/**
 * Relu: max(0, x), element by element. The integers are divided to the bits of an activation in the same step, and cut off
 * where they could become far greater than what calibration shows.
 */
export const relu: Operator = {
  lower: ({ node, operands, output }) => {
    const { value: input, shape } = requireValue({ node, operands, index: 0 });
    const { quantise, ...exact } = reluNode({ input, output });
    return {
      operand: { kind: "value", value: output, shape },
      node: {
        ...exact,
        quantise: (quantiser) => saturate({ quantiser, source: quantise(quantiser), output }),
      },
    };
  },
};

/** max(0, x) for every element of a value. */
export function reluNode(parameters: { input: string; output: string }): GraphNode {
  const { input, output } = parameters;
  return {
    inputs: [input],
    output,
    isActivation: true,
    compute: (x) => x.map((value) => Math.max(0, value)),
    quantise: (quantiser) => {
      const source = quantiser.valueOf(input);
      const shift = activationShift({ quantiser, source, output });
      return addRelu({ quantiser, source, output, shift });
    },
  };
}

/** What divides a value to the scales of an activation. */
export function activationShift(parameters: {
  quantiser: Quantiser;
  source: QuantisedValue;
  output: string;
}): Shifts {
  const { quantiser, source, output } = parameters;
  return sharedShift(
    source.exponents.map((exponent, index) =>
      Math.max(0, quantiser.activationExponent(output, index) - exponent),
    ),
  );
}

/** One number where all shifts are the same. */
export function sharedShift(shifts: readonly number[]): Shifts {
  const [first = 0] = shifts;
  return shifts.every((shift) => shift === first) ? first : [...shifts];
}

/** Adds max(0, x) for every element x, divided by 2^shift. */
export function addRelu(parameters: {
  quantiser: Quantiser;
  source: QuantisedValue;
  output: string;
  shift: Shifts;
}): QuantisedValue {
  const { quantiser, source, output, shift } = parameters;
  const exponents = source.exponents.map((exponent, index) => exponent + shiftAt(shift, index));
  const scaleExponent = coarsest(exponents);
  return quantiser.add(
    { kind: "relu", input: source.name, output, scaleExponent, shift },
    exponents,
  );
}

export const reluCircuit: CircuitKind<IntegerRelu> = {
  role: "activations",
  takesProducts: true,
  addRows: ({ node, input, ranges, name, circuit }) =>
    input.map((sum, index) => {
      const { out, read } = reluRows({
        sum,
        product: circuit.takeProduct(sum),
        range: ranges[index] as Range,
        shift: shiftAt(node.shift, index),
        name: `${name}x${index}`,
        circuit,
      });
      input[index] = read;
      return out;
    }),
};

/** A division by a power of two: the compiler's own, no operator of ONNX becomes it. */
export const rescaleCircuit: CircuitKind<IntegerRescale> = {
  addRows: ({ node, input, ranges, name, circuit }) =>
    input.map((sum, index) => {
      const shift = shiftAt(node.shift, index);
      if (shift === 0) return sum;
      const width = rescaleWidth({ range: ranges[index] as Range, shift });
      const shifted = exactly([[1, sum]], Number(halfOf(shift)) + 2 ** (width - 1));
      const digits = circuit.digits(`${name}x${index}`, shifted, width);
      return exactly([[1, digitSum(digits.slice(shift))]], -(2 ** (width - 1 - shift)));
    }),
};

/**
 * Width + 2 rows: the digits of what is read, made positive, and the product of the top digit, which says that it is not
 * negative, with the digits of the quotient. What is never negative needs no such product. What is read is a sum, or one and a
 * product, which the row of the digits holds.
 */
function reluRows(parameters: {
  sum: Sum;
  product: Product | undefined;
  range: Range;
  shift: number;
  name: string;
  circuit: CircuitBuilder;
}): { out: Sum /** what is read, without a product */; read: Sum } {
  const { sum, product, range, shift, name, circuit } = parameters;
  const width = reluWidth({ range, shift });
  const isAsItIs = range.minimum >= 0n && shift === 0;
  if (width === 0 || isAsItIs) {
    const read =
      product === undefined
        ? sum
        : wireSum(circuit.product(`${name}Read`, product.a, product.b, sum));
    return { out: width === 0 ? constantSum(0) : read, read };
  }
  const half = Number(halfOf(shift));
  const isNeverNegative = range.minimum + halfOf(shift) >= 0n;
  const offset = half + (isNeverNegative ? 0 : 2 ** (width - 1));
  const digits = circuit.digits(
    name,
    exactly([[1, sum]], offset),
    isNeverNegative ? width - 1 : width,
    product,
  );
  const read = product === undefined ? sum : exactly([[1, digitSum(digits)]], -offset);
  if (isNeverNegative) {
    const quotient = digits.slice(shift);
    circuit.keepDecomposition(digitSum(quotient), { digits: quotient, least: 0 });
    return { out: digitSum(quotient), read };
  }
  const gate = digits[width - 1] as number;
  const quotient = digits.slice(shift, -1);
  const out = wireSum(circuit.product(`${name}Out`, wireSum(gate), digitSum(quotient)));
  circuit.keepDecomposition(out, { digits: quotient, gate, least: 0 });
  return { out, read };
}

export function rescaleWidth(parameters: { range: Range; shift: number }): number {
  return Math.max(parameters.shift + 1, signedWidth(withHalf(parameters)));
}

function withHalf(parameters: { range: Range; shift: number }): Range {
  const { range, shift } = parameters;
  const half = halfOf(shift);
  return { minimum: range.minimum + half, maximum: range.maximum + half };
}

/** Digits that a ReLU needs, or 0 where its result is always 0. */
export function reluWidth(parameters: { range: Range; shift: number }): number {
  const range = withHalf(parameters);
  return range.maximum >> BigInt(parameters.shift) <= 0n ? 0 : signedWidth(range);
}

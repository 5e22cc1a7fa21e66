import { type Range, signedWidth } from "@haca/model-runtime/kinds/ranges";
import {
  halfOf,
  type IntegerRelu,
  type IntegerRescale,
  type Shifts,
  shiftAt,
} from "@haca/model-runtime/kinds/rescale";
import type { CircuitBuilder } from "../circuit/circuitBuilder.ts";
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
  addRows: ({ node, input, ranges, name, circuit }) =>
    input.map((sum, index) =>
      reluRows({
        sum,
        range: ranges[index] as Range,
        shift: shiftAt(node.shift, index),
        name: `${name}x${index}`,
        circuit,
      }),
    ),
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
 * Width + 2 rows: the digits of the sum, made positive, and the product of the top digit, which says that the sum is not
 * negative, with the digits of the quotient. A sum that is never negative needs no such product.
 */
function reluRows(parameters: {
  sum: Sum;
  range: Range;
  shift: number;
  name: string;
  circuit: CircuitBuilder;
}): Sum {
  const { sum, range, shift, name, circuit } = parameters;
  const width = reluWidth({ range, shift });
  if (width === 0) return constantSum(0);
  if (range.minimum >= 0n && shift === 0) return sum;
  const half = Number(halfOf(shift));
  if (range.minimum + halfOf(shift) >= 0n) {
    const digits = circuit.digits(name, exactly([[1, sum]], half), width - 1).slice(shift);
    circuit.keepDecomposition(digitSum(digits), { digits, least: 0 });
    return digitSum(digits);
  }
  const digits = circuit.digits(name, exactly([[1, sum]], half + 2 ** (width - 1)), width);
  const gate = digits[width - 1] as number;
  const quotient = digits.slice(shift, -1);
  const out = wireSum(circuit.product(`${name}Out`, wireSum(gate), digitSum(quotient)));
  circuit.keepDecomposition(out, { digits: quotient, gate, least: 0 });
  return out;
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

import { elementCount } from "@haca/model-runtime/integerModel";
import type { Range } from "@haca/model-runtime/kinds/ranges";
import { halfOf, type IntegerParts, shiftAt } from "@haca/model-runtime/kinds/rescale";
import type { CircuitBuilder } from "../circuit/circuitBuilder.ts";
import { constantSum, digitSum, exactly, type Sum, wireSum } from "../circuit/sum.ts";
import { affineNode } from "./affine.ts";
import type { CircuitKind } from "./circuitKind.ts";
import { channelSizeOf } from "./elementwise.ts";
import type { GraphNode, Lowered, ValueOperand } from "./kind.ts";
import { coarsest } from "./quantiser.ts";
import { activationShift, reluWidth, rescaleWidth } from "./relu.ts";

/**
 * Slope `left(index)` below 0 and 1 above: left * x + (1 - left) * relu(x). One decomposition gives both, and the sum is
 * merged into the weights of whatever weighted sum reads it, so that slopes make nothing wider.
 */
export function bent(parameters: {
  operand: ValueOperand;
  output: string;
  left: (index: number) => number;
}): Lowered {
  const { operand, output, left } = parameters;
  const { value, shape } = operand;
  const count = elementCount(shape);
  return {
    operand: { kind: "value", value: output, shape },
    nodes: [
      partsNode({ input: value, output: `${output}/parts` }),
      affineNode({
        input: `${output}/parts`,
        output,
        inputCount: 2 * count,
        channelSize: channelSizeOf(shape),
        isBend: true,
        rows: Array.from({ length: count }, (_, index) => ({
          indices: [index, count + index],
          weights: [left(index), 1 - left(index)],
          bias: 0,
        })),
      }),
    ],
  };
}

/** All elements, then max(0, x) of each, at the bits of an activation with a sign. */
function partsNode(parameters: { input: string; output: string }): GraphNode {
  const { input, output } = parameters;
  return {
    inputs: [input],
    output,
    isActivation: true,
    compute: (x) => [...x, ...x.map((value) => Math.max(0, value))],
    quantise: (quantiser) => {
      const source = quantiser.valueOf(input);
      const shift = activationShift({ quantiser, source, output });
      const exponents = source.exponents.map((exponent, index) => exponent + shiftAt(shift, index));
      const scaleExponent = coarsest(exponents);
      return quantiser.add({ kind: "parts", input: source.name, output, scaleExponent, shift }, [
        ...exponents,
        ...exponents,
      ]);
    },
  };
}

export const partsCircuit: CircuitKind<IntegerParts> = {
  role: "activations",
  addRows: ({ node, input, ranges, name, circuit }) => {
    const parts = input.map((sum, index) =>
      partsRows({
        sum,
        range: ranges[index] as Range,
        shift: shiftAt(node.shift, index),
        name: `${name}x${index}`,
        circuit,
      }),
    );
    return [...parts.map(({ quotient }) => quotient), ...parts.map(({ positive }) => positive)];
  },
};

/**
 * Width + 2 rows: the digits of the sum, made positive, of which those from the shift up are the quotient; and the sign row,
 * the product of the top digit, which says that the quotient is not negative, with the digits below it.
 */
function partsRows(parameters: {
  sum: Sum;
  range: Range;
  shift: number;
  name: string;
  circuit: CircuitBuilder;
}): { quotient: Sum; positive: Sum } {
  const { sum, range, shift, name, circuit } = parameters;
  const isNeverNegative = range.minimum + halfOf(shift) >= 0n;
  const isNeverPositive = reluWidth({ range, shift }) === 0;
  if (shift === 0 && (isNeverNegative || isNeverPositive)) {
    return { quotient: sum, positive: isNeverPositive ? constantSum(0) : sum };
  }
  const width = rescaleWidth({ range, shift });
  const shifted = exactly([[1, sum]], Number(halfOf(shift)) + 2 ** (width - 1));
  const digits = circuit.digits(name, shifted, width);
  const above = digitSum(digits.slice(shift));
  const quotient = shift === 0 ? sum : exactly([[1, above]], -(2 ** (width - 1 - shift)));
  if (isNeverPositive) return { quotient, positive: constantSum(0) };
  if (isNeverNegative) return { quotient, positive: quotient };
  const isPositive = wireSum(digits[width - 1] as number);
  const magnitude = digitSum(digits.slice(shift, -1));
  return { quotient, positive: wireSum(circuit.product(`${name}Out`, isPositive, magnitude)) };
}

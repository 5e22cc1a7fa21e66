import { elementCount } from "@haca/model-runtime/integerModel";
import type { IntegerArgMax } from "@haca/model-runtime/kinds/argMax";
import { bitLength, type Range } from "@haca/model-runtime/kinds/ranges";
import type { CircuitKind } from "./circuitKind.ts";
import type { Operator } from "./kind.ts";
import { numberAttribute, requireValue, unsupported } from "./operands.ts";

/** ArgMax over all elements of the sample: the axis must hold them all. Ties go to the lowest index. */
export const argMax: Operator = {
  lower: ({ node, operands, output }) => {
    const { value: input, shape } = requireValue({ node, operands, index: 0 });
    const axis = numberAttribute(node, "axis", 0);
    const keepDimensions = numberAttribute(node, "keepdims", 1) !== 0;
    if (numberAttribute(node, "select_last_index", 0) !== 0) {
      throw unsupported({ node, why: "select_last_index = 1 is not supported" });
    }
    const position = axis < 0 ? axis + shape.length : axis;
    if (shape[position] !== elementCount(shape)) {
      throw unsupported({
        node,
        why: `axis ${axis} of [${shape}] leaves more than one maximum, only one is supported`,
      });
    }
    return {
      operand: {
        kind: "value",
        value: output,
        shape: keepDimensions ? shape.map(() => 1) : shape.toSpliced(position, 1),
      },
      node: {
        input,
        output,
        compute: (x) => [x.indexOf(Math.max(...x))],
        quantise: (quantiser) =>
          quantiser.add({ kind: "argMax", input: quantiser.valueOf(input).name, output }),
      },
    };
  },
};

export const argMaxCircuit: CircuitKind<IntegerArgMax> = {
  template: "argMax",
  role: "label",
  addRows: ({ input, ranges, name, circuit }) => [
    circuit.choice(name, input, differenceWidth(ranges)),
  ],
  constrain: ({ input, output }) => ({
    title: "index of the greatest",
    lines: [
      `    signal ${output.signal}[1];`,
      `    ${output.signal}[0] <== ArgMax(${input.ranges.length}, ${differenceWidth(input.ranges)})(${input.signal});`,
    ],
  }),
};

/** Bits that hold every difference between two different elements. */
function differenceWidth(ranges: readonly Range[]): number {
  let width = 1;
  for (const [i, { maximum }] of ranges.entries()) {
    for (const [j, { minimum }] of ranges.entries()) {
      if (i !== j && maximum > minimum) {
        width = Math.max(width, bitLength(maximum - minimum));
      }
    }
  }
  return width;
}

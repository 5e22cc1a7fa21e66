import { elementCount } from "@haca/model-runtime/integerModel";
import type { IntegerArgMax } from "@haca/model-runtime/kinds/argMax";
import { bitLength, type Range } from "@haca/model-runtime/kinds/ranges";
import type { CircuitKind } from "./circuitKind.ts";
import { lines } from "./elementwise.ts";
import type { GraphNode, Lowered, Operator } from "./kind.ts";
import { numberAttribute, requireValue, unsupported } from "./operands.ts";

/** ArgMax over all elements of the sample: the axis must hold them all. Ties go to the lowest index. */
export const argMax: Operator = {
  lower: (given) => extreme(given),
  afterFinal: "order",
};

/** ArgMin: the ArgMax of the negated elements. */
export const argMin: Operator = {
  lower: (given) => {
    const operand = requireValue({ ...given, index: 0 });
    const negated = lines({ ...operand, output: `${given.output}/negated`, line: () => [-1, 0] });
    const lowered = extreme({ ...given, operands: [negated.operand] });
    const nodes = [negated.node, lowered.node].filter((node) => node !== undefined);
    return { operand: lowered.operand, nodes };
  },
};

function extreme(parameters: Parameters<Operator["lower"]>[0]): Lowered {
  const { node, operands, output } = parameters;
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
      isInteger: true,
    },
    node: argMaxNode({ input, output }),
  };
}

/** The index of the greatest element of a value. */
export function argMaxNode(parameters: { input: string; output: string }): GraphNode {
  const { input, output } = parameters;
  return {
    inputs: [input],
    output,
    isComparison: true,
    compute: (x) => [x.indexOf(Math.max(...x))],
    quantise: (quantiser) => {
      const source = quantiser.alike(quantiser.valueOf(input));
      return quantiser.add({ kind: "argMax", input: source.name, output }, [0]);
    },
  };
}

export const argMaxCircuit: CircuitKind<IntegerArgMax> = {
  role: "label",
  addRows: ({ input, ranges, name, circuit }) => [
    circuit.choice(name, input, differenceWidth(ranges)),
  ],
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

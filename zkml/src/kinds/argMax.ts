import { elementCount } from "@haca/model-runtime/integerModel";
import { type LowerOperator, numberAttribute, requireValue, unsupported } from "./operator.ts";

/** ArgMax over all elements of the sample: the axis must hold them all. Ties go to the lowest index. */
export const lowerArgMax: LowerOperator = ({ node, operands, output }) => {
  const { value, shape } = requireValue({ node, operands, index: 0 });
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
    node: { kind: "argMax", input: value, output },
  };
};

import { elementCount } from "@haca/model-runtime/integerModel";
import { type LowerOperator, numberAttribute, requireValue, unsupported } from "./operator.ts";

/** Flatten to a matrix; nothing is computed, elements keep their order. */
export const lowerFlatten: LowerOperator = ({ node, operands }) => {
  const { value, shape } = requireValue({ node, operands, index: 0 });
  const axis = numberAttribute(node, "axis", 1);
  const position = axis < 0 ? axis + shape.length : axis;
  if (position < 0 || position > shape.length) {
    throw unsupported({ node, why: `axis ${axis} is outside [${shape}]` });
  }
  const rows = elementCount(shape.slice(0, position));
  return {
    operand: { kind: "value", value, shape: [rows, elementCount(shape) / rows] },
  };
};

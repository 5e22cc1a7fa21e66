import { elementCount } from "@haca/model-runtime/integerModel";
import {
  type LowerOperator,
  numberAttribute,
  requireConstant,
  requireValue,
  shapeMismatch,
} from "./operator.ts";

/** Reshape to a constant shape (-1: whatever is left; 0: as before); elements keep their order. */
export const lowerReshape: LowerOperator = ({ node, operands }) => {
  const { value, shape } = requireValue({ node, operands, index: 0 });
  const target = requireConstant({ node, operands, index: 1 });
  const keepsZero = numberAttribute(node, "allowzero", 0) !== 0;
  const count = elementCount(shape);
  const wanted = Array.from(target.data, (size, axis) =>
    size === 0 && !keepsZero ? (shape[axis] ?? 0) : size,
  );
  const known = elementCount(wanted.filter((size) => size !== -1));
  const result = wanted.map((size) => (size === -1 ? count / known : size));
  const isShape = result.every((size) => Number.isInteger(size) && size >= 1);
  if (!isShape || elementCount(result) !== count) {
    throw shapeMismatch({ node, why: `[${shape}] cannot become [${[...target.data]}]` });
  }
  return { operand: { kind: "value", value, shape: result } };
};

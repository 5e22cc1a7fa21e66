import { elementCount } from "@haca/model-runtime/integerModel";
import type { Operator } from "./kind.ts";
import {
  numberAttribute,
  requireConstant,
  requireOperand,
  requireValue,
  shapeMismatch,
  unsupported,
} from "./operands.ts";

/** Reshape to a constant shape (-1: whatever is left; 0: as before); elements keep their order. */
export const reshape: Operator = {
  lower: ({ node, operands }) => {
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
  },
  settings: [1],
};

/** Flatten to a matrix; nothing is computed, elements keep their order. */
export const flatten: Operator = {
  lower: ({ node, operands }) => {
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
  },
};

/** Identity, and Dropout at inference: the input itself. */
export const identity: Operator = {
  lower: ({ node, operands }) => ({ operand: requireOperand({ node, operands, index: 0 }) }),
};

/** Constant with a tensor value. */
export const constant: Operator = {
  lower: ({ node }) => {
    const tensor = node.attributes.get("value");
    if (typeof tensor !== "object" || Array.isArray(tensor)) {
      throw unsupported({ node, why: "only the attribute `value` (a tensor) is supported" });
    }
    return { operand: { kind: "constant", tensor } };
  },
};

import { elementCount } from "@haca/model-runtime/integerModel";
import { OnnxError, type OnnxNode } from "../onnx/onnxGraph.ts";
import { shapeOf } from "./elementwise.ts";
import type { Lowered, Operand, Operator } from "./kind.ts";
import {
  listSetting,
  numberAttribute,
  requireConstant,
  requireOperand,
  resolveAxes,
  shapeMismatch,
  unsupported,
  usable,
} from "./operands.ts";

/** Reshape to a constant shape (-1: whatever is left; 0: as before); elements keep their order. */
export const reshape: Operator = {
  lower: ({ node, operands }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const shape = shapeOf(operand);
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
    return { operand: reshaped(node, operand, result) };
  },
  settings: [1],
  afterFinal: "stays",
};

/** Flatten to a matrix; nothing is computed, elements keep their order. */
export const flatten: Operator = {
  lower: ({ node, operands }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const shape = shapeOf(operand);
    const axis = numberAttribute(node, "axis", 1);
    const position = axis < 0 ? axis + shape.length : axis;
    if (position < 0 || position > shape.length) {
      throw unsupported({ node, why: `axis ${axis} is outside [${shape}]` });
    }
    const rows = elementCount(shape.slice(0, position));
    return { operand: reshaped(node, operand, [rows, elementCount(shape) / rows]) };
  },
  afterFinal: "stays",
};

/** Removes dimensions of size 1. */
export const squeeze: Operator = {
  lower: ({ node, operands }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const shape = shapeOf(operand);
    const given = listSetting({ node, operands, index: 1, attribute: "axes" });
    const ones = shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
    const axes =
      given === undefined ? ones : resolveAxes({ node, axes: given, rank: shape.length });
    if (axes.some((axis) => shape[axis] !== 1)) {
      throw shapeMismatch({ node, why: `axes [${axes}] of [${shape}] are not all of size 1` });
    }
    const result = shape.filter((_, axis) => !axes.includes(axis));
    return { operand: reshaped(node, operand, result) };
  },
  settings: [1],
  afterFinal: "stays",
};

/** Adds dimensions of size 1. */
export const unsqueeze: Operator = {
  lower: ({ node, operands }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const shape = shapeOf(operand);
    const given = listSetting({ node, operands, index: 1, attribute: "axes" }) ?? [];
    const rank = shape.length + given.length;
    const axes = resolveAxes({ node, axes: given, rank });
    const rest = [...shape];
    const result = Array.from({ length: rank }, (_, axis) =>
      axes.includes(axis) ? 1 : (rest.shift() ?? 1),
    );
    return { operand: reshaped(node, operand, result) };
  },
  settings: [1],
  afterFinal: "stays",
};

/** Identity, Dropout at inference, and Cast between numbers: the input itself. */
export const identity: Operator = {
  lower: ({ node, operands }) => ({ operand: requireOperand({ node, operands, index: 0 }) }),
  afterFinal: "stays",
};

/** Dropout at inference gives its input; its mask is not computed. */
export const dropout: Operator = {
  lower: ({ node, operands }) => {
    const isTraining = operands[2];
    if (isTraining !== undefined) {
      const { data } = requireConstant({ node, operands, index: 2 });
      if (data[0] !== 0) throw unsupported({ node, why: "training_mode is not supported" });
    }
    return { operand: requireOperand({ node, operands, index: 0 }) };
  },
  settings: [1, 2],
  afterFinal: "stays",
};

/** Numbers that are whole: of constants, and of values that are computed as integers. */
const INTEGER_TYPES: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 12, 13]);

/** Cast: a constant is truncated where the type is an integer's; a computed value must be one already. */
export const cast: Operator = {
  lower: ({ node, operands }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const isInteger = INTEGER_TYPES.has(numberAttribute(node, "to", 1));
    if (operand.kind === "constant") {
      const { shape, data } = usable(node, operand.tensor);
      return {
        operand: {
          kind: "constant",
          tensor: { shape, data: isInteger ? data.map(Math.trunc) : data },
        },
      };
    }
    if (isInteger && operand.isInteger !== true) {
      throw unsupported({ node, why: "a computed real number cannot be cut to an integer" });
    }
    return { operand };
  },
  afterFinal: "stays",
};

/** Shape: a constant, because all shapes are known. */
export const shape: Operator = {
  lower: ({ node, operands }) => {
    const sizes = shapeOf(requireOperand({ node, operands, index: 0 }));
    const start = numberAttribute(node, "start", 0);
    const end = numberAttribute(node, "end", sizes.length);
    const data = Float64Array.from(sizes.slice(start, end));
    return { operand: { kind: "constant", tensor: { shape: [data.length], data } } };
  },
};

/** ConstantOfShape. */
export const constantOfShape: Operator = {
  lower: ({ node, operands }) => {
    const sizes = Array.from(requireConstant({ node, operands, index: 0 }).data);
    const value = node.attributes.get("value");
    const fill = typeof value === "object" && "data" in value ? (value.data[0] ?? 0) : 0;
    const count = elementCount(sizes);
    if (sizes.some((size) => !Number.isInteger(size) || size < 0) || count > 1 << 24) {
      throw new OnnxError({
        reason: "tooLarge",
        message: `node ${node.name}: a constant of shape [${sizes}] is too large`,
        details: { node: node.name, operator: node.operator },
      });
    }
    const data = new Float64Array(count).fill(fill);
    return { operand: { kind: "constant", tensor: { shape: sizes, data } } };
  },
  settings: [0],
};

/** Constant: a tensor, a number or a list of numbers. */
export const constant: Operator = {
  lower: ({ node }): Lowered => {
    const tensor = node.attributes.get("value");
    if (typeof tensor === "object" && "data" in tensor) {
      return { operand: { kind: "constant", tensor } };
    }
    for (const name of ["value_float", "value_int", "value_floats", "value_ints"]) {
      const value = node.attributes.get(name);
      if (typeof value === "number") {
        return {
          operand: { kind: "constant", tensor: { shape: [], data: Float64Array.of(value) } },
        };
      }
      if (Array.isArray(value)) {
        const data = Float64Array.from(value);
        return { operand: { kind: "constant", tensor: { shape: [data.length], data } } };
      }
    }
    throw unsupported({ node, why: "only a tensor, numbers and lists of numbers are supported" });
  },
};

function reshaped(node: OnnxNode, operand: Operand, shape: number[]): Operand {
  return operand.kind === "value"
    ? { ...operand, shape }
    : { kind: "constant", tensor: { ...usable(node, operand.tensor), shape } };
}

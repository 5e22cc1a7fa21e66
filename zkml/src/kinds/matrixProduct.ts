import { elementCount } from "@haca/model-runtime/integerModel";
import { affineNode } from "./affine.ts";
import { shapeOf } from "./elementwise.ts";
import { broadcastIndices, broadcastShape, mapCoordinates, stridesOf } from "./indexing.ts";
import type { AffineRow, Operator } from "./kind.ts";
import {
  listSetting,
  numberAttribute,
  optionalConstant,
  requireAffordable,
  requireConstant,
  requireOperand,
  requireValue,
  resolveAxes,
  shapeMismatch,
  unsupported,
} from "./operands.ts";

/** Gemm: alpha * A * B + beta * C with A computed, B and C constant. */
export const gemm: Operator = {
  lower: ({ node, operands, output }) => {
    const a = requireValue({ node, operands, index: 0 });
    const b = requireConstant({ node, operands, index: 1 });
    const alpha = numberAttribute(node, "alpha", 1);
    const beta = numberAttribute(node, "beta", 1);
    const transA = numberAttribute(node, "transA", 0) !== 0;
    const transB = numberAttribute(node, "transB", 0) !== 0;

    if (a.shape.length !== 2 || b.shape.length !== 2) {
      throw shapeMismatch({ node, why: `needs matrices, got [${a.shape}] and [${b.shape}]` });
    }
    const [rows = 0, inputs = 0] = transA ? a.shape.toReversed() : a.shape;
    const [depth = 0, outputs = 0] = transB ? b.shape.toReversed() : b.shape;
    if (depth !== inputs) {
      throw shapeMismatch({
        node,
        why: `[${rows}, ${inputs}] by [${depth}, ${outputs}] cannot be multiplied`,
      });
    }
    const shape = [rows, outputs];
    requireAffordable({ node, shape, depth });
    const c = optionalConstant({ node, operands, index: 2 });
    if (c !== undefined && broadcastShape(c.shape, shape)?.join() !== shape.join()) {
      throw shapeMismatch({ node, why: `C has shape [${c.shape}], expected [${outputs}]` });
    }
    const biases = c === undefined ? undefined : broadcastIndices({ from: c.shape, to: shape });
    return {
      operand: { kind: "value", value: output, shape },
      node: affineNode({
        input: a.value,
        output,
        inputCount: rows * inputs,
        rows: mapCoordinates(shape, (position) => position[0] as number).map((row, index) => {
          const column = index % outputs;
          const bias = biases === undefined ? 0 : (c?.data[biases[index] as number] ?? 0);
          return sumOfProducts({
            depth: inputs,
            indexOf: (k) => (transA ? k * rows + row : row * inputs + k),
            weightOf: (k) =>
              alpha * (b.data[transB ? column * inputs + k : k * outputs + column] as number),
            bias: beta * bias,
          });
        }),
      }),
    };
  },
};

/** MatMul of a computed value and a constant, in either order, of any rank. */
export const matMul: Operator = {
  lower: ({ node, operands, output }) => {
    const a = requireOperand({ node, operands, index: 0 });
    const b = requireOperand({ node, operands, index: 1 });
    if (a.kind === b.kind) {
      const what = a.kind === "value" ? "a product of two computed values" : "one of two constants";
      throw unsupported({ node, why: `${what} is not supported, one must be computed` });
    }
    const isLeft = a.kind === "value";
    const value = requireValue({ node, operands, index: isLeft ? 0 : 1 });
    const constant = requireConstant({ node, operands, index: isLeft ? 1 : 0 });
    const left = shapeOf(a).length === 1 ? [1, ...shapeOf(a)] : shapeOf(a);
    const right = shapeOf(b).length === 1 ? [...shapeOf(b), 1] : shapeOf(b);
    const [height = 0, depth = 0] = left.slice(-2);
    const [inner = 0, width = 0] = right.slice(-2);
    const batch = broadcastShape(left.slice(0, -2), right.slice(0, -2));
    if (depth !== inner || batch === undefined || left.length < 2 || right.length < 2) {
      throw shapeMismatch({
        node,
        why: `[${shapeOf(a)}] by [${shapeOf(b)}] cannot be multiplied`,
      });
    }
    const shape = [
      ...batch,
      ...(shapeOf(a).length === 1 ? [] : [height]),
      ...(shapeOf(b).length === 1 ? [] : [width]),
    ];
    requireAffordable({ node, shape, depth });
    const leftStarts = startsOf(left, batch);
    const rightStarts = startsOf(right, batch);
    const rows: AffineRow[] = [];
    for (const [index, leftStart] of leftStarts.entries()) {
      const rightStart = rightStarts[index] as number;
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const inLeft = (k: number) => leftStart + row * depth + k;
          const inRight = (k: number) => rightStart + k * width + column;
          const [indexOf, weightAt] = isLeft ? [inLeft, inRight] : [inRight, inLeft];
          const weightOf = (k: number) => constant.data[weightAt(k)] as number;
          rows.push(sumOfProducts({ depth, indexOf, weightOf, bias: 0 }));
        }
      }
    }
    const inputCount = elementCount(value.shape);
    return {
      operand: { kind: "value", value: output, shape },
      node: affineNode({ input: value.value, output, inputCount, rows }),
    };
  },
};

/** Where the matrix of each position of the batch starts in a tensor that broadcasts to it. */
function startsOf(shape: readonly number[], batch: readonly number[]): number[] {
  const size = elementCount(shape.slice(-2));
  return broadcastIndices({ from: shape.slice(0, -2), to: batch }).map((index) => index * size);
}

/** A row with the weights that are not exactly 0. */
function sumOfProducts(parameters: {
  depth: number;
  indexOf: (k: number) => number;
  weightOf: (k: number) => number;
  bias: number;
}): AffineRow {
  const { depth, indexOf, weightOf, bias } = parameters;
  const row: AffineRow = { indices: [], weights: [], bias };
  for (let k = 0; k < depth; k++) {
    const weight = weightOf(k);
    if (weight !== 0) {
      row.indices.push(indexOf(k));
      row.weights.push(weight);
    }
  }
  return row;
}

/** ReduceSum and ReduceMean over constant axes. */
export const reduceSum: Operator = { lower: (given) => reduce({ ...given, isMean: false }) };
export const reduceMean: Operator = { lower: (given) => reduce({ ...given, isMean: true }) };
reduceSum.settings = [1];
reduceMean.settings = [1];

function reduce(
  parameters: Parameters<Operator["lower"]>[0] & { isMean: boolean },
): ReturnType<Operator["lower"]> {
  const { node, operands, output, isMean } = parameters;
  const { value, shape } = requireValue({ node, operands, index: 0 });
  const axes = reducedAxes({ node, operands, rank: shape.length });
  if (axes.length === 0) return { operand: { kind: "value", value, shape } };
  const keeps = numberAttribute(node, "keepdims", 1) !== 0;
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const groups: number[][] = Array.from({ length: elementCount(kept) }, () => []);
  const strides = stridesOf(kept);
  const targets = mapCoordinates(shape, (position) =>
    position.reduce((at, x, axis) => at + (axes.includes(axis) ? 0 : x * (strides[axis] ?? 0)), 0),
  );
  for (const [index, target] of targets.entries()) groups[target]?.push(index);
  return {
    operand: {
      kind: "value",
      value: output,
      shape: keeps ? kept : shape.filter((_, axis) => !axes.includes(axis)),
    },
    node: affineNode({
      input: value,
      output,
      inputCount: elementCount(shape),
      rows: groups.map((indices) => ({
        indices,
        weights: indices.map(() => (isMean ? 1 / indices.length : 1)),
        bias: 0,
      })),
    }),
  };
}

function reducedAxes(parameters: {
  node: Parameters<Operator["lower"]>[0]["node"];
  operands: Parameters<Operator["lower"]>[0]["operands"];
  rank: number;
}): number[] {
  const { node, rank } = parameters;
  const axes = listSetting({ ...parameters, index: 1, attribute: "axes" });
  const isAll = axes === undefined || axes.length === 0;
  if (isAll && numberAttribute(node, "noop_with_empty_axes", 0) !== 0) return [];
  return isAll
    ? Array.from({ length: rank }, (_, axis) => axis)
    : resolveAxes({ node, axes, rank });
}

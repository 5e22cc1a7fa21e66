import { elementCount } from "@haca/model-runtime/integerModel";
import type { OnnxNode } from "../onnx/onnxGraph.ts";
import { affineNode } from "./affine.ts";
import { concatNode } from "./concat.ts";
import { broadcastIndices, broadcastShape } from "./indexing.ts";
import type { Lowered, Operand, Operator } from "./kind.ts";
import {
  numberAttribute,
  requireAffordable,
  requireConstant,
  requireOperand,
  requireValue,
  shapeMismatch,
  unsupported,
  usable,
} from "./operands.ts";

type Pair = {
  node: OnnxNode;
  operands: (Operand | undefined)[];
  output: string;
};

/** a + b and a - b, element by element with broadcasting; both may be computed. */
export const add: Operator = { lower: (pair) => combine({ ...pair, sign: 1 }) };
export const subtract: Operator = { lower: (pair) => combine({ ...pair, sign: -1 }) };

/** Products and quotients, where one factor, or the divisor, is a constant. */
export const multiply: Operator = { lower: (pair) => scale({ ...pair, isQuotient: false }) };
export const divide: Operator = { lower: (pair) => scale({ ...pair, isQuotient: true }) };

/** -x. */
export const negate: Operator = {
  lower: ({ node, operands, output }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    if (operand.kind === "constant") {
      const { shape, data } = usable(node, operand.tensor);
      return { operand: { kind: "constant", tensor: { shape, data: data.map((x) => -x) } } };
    }
    return lines({ ...operand, output, line: () => [-1, 0] });
  },
};

/** Sum of any number of values and constants of one shape. */
export const sum: Operator = {
  lower: ({ node, operands, output }) => {
    const nodes: Lowered["nodes"] = [];
    let total = requireOperand({ node, operands, index: 0 });
    for (let index = 1; index < operands.length; index++) {
      const name = index === operands.length - 1 ? output : `${output}/sum${index}`;
      const next = requireOperand({ node, operands, index });
      const step = combine({ node, operands: [total, next], output: name, sign: 1 });
      nodes.push(...(step.nodes ?? []), ...(step.node === undefined ? [] : [step.node]));
      total = step.operand;
    }
    return { operand: total, nodes };
  },
};

function combine(parameters: Pair & { sign: 1 | -1 }): Lowered {
  const { node, operands, output, sign } = parameters;
  const a = requireOperand({ node, operands, index: 0 });
  const b = requireOperand({ node, operands, index: 1 });
  const shape = sharedShape(node, a, b);
  const left = broadcastIndices({ from: shapeOf(a), to: shape });
  const right = broadcastIndices({ from: shapeOf(b), to: shape });
  if (a.kind === "constant" && b.kind === "constant") {
    const x = usable(node, a.tensor).data;
    const y = usable(node, b.tensor).data;
    const data = Float64Array.from(left, (at, i) => at_(x, at) + sign * at_(y, right[i] as number));
    return { operand: { kind: "constant", tensor: { shape, data } } };
  }
  const channelSize = channelSizeOf(shape);
  const operand = { kind: "value", value: output, shape } as const;
  if (a.kind === "value" && b.kind === "value") {
    const isSame = a.value === b.value;
    const size = elementCount(a.shape);
    const inputs = isSame ? [a.value] : [a.value, b.value];
    const joined = isSame ? a.value : `${output}/operands`;
    const rows = left.map((at, i) => ({
      indices: [at, (isSame ? 0 : size) + (right[i] as number)],
      weights: [1, sign],
      bias: 0,
    }));
    const inputCount = isSame ? size : size + elementCount(b.shape);
    return {
      operand,
      nodes: [
        ...(isSame ? [] : [concatNode({ inputs, output: joined })]),
        affineNode({ input: joined, output, inputCount, channelSize, rows }),
      ],
    };
  }
  const isFirst = a.kind === "value";
  const value = isFirst ? a : (b as Extract<Operand, { kind: "value" }>);
  const constant = requireConstant({ node, operands, index: isFirst ? 1 : 0 }).data;
  const rows = (isFirst ? left : right).map((at, i) => ({
    indices: [at],
    weights: [isFirst ? 1 : sign],
    bias: (isFirst ? sign : 1) * at_(constant, (isFirst ? right : left)[i] as number),
  }));
  const inputCount = elementCount(value.shape);
  return {
    operand,
    node: affineNode({ input: value.value, output, inputCount, channelSize, rows }),
  };
}

function scale(parameters: Pair & { isQuotient: boolean }): Lowered {
  const { node, operands, output, isQuotient } = parameters;
  const a = requireOperand({ node, operands, index: 0 });
  const b = requireOperand({ node, operands, index: 1 });
  const shape = sharedShape(node, a, b);
  const left = broadcastIndices({ from: shapeOf(a), to: shape });
  const right = broadcastIndices({ from: shapeOf(b), to: shape });
  if (a.kind === "value" && b.kind === "value") {
    const what = isQuotient ? "a division by a computed value" : "a product of two computed values";
    throw unsupported({ node, why: `${what} is not supported, one must be a constant` });
  }
  if (a.kind === "constant" && isQuotient && b.kind === "value") {
    throw unsupported({ node, why: "the divisor is computed, only a constant is supported there" });
  }
  const divisor = isQuotient ? requireConstant({ node, operands, index: 1 }).data : undefined;
  if (divisor?.includes(0)) throw unsupported({ node, why: "it divides by 0" });
  if (a.kind === "constant" && b.kind === "constant") {
    const x = usable(node, a.tensor).data;
    const y = usable(node, b.tensor).data;
    const data = Float64Array.from(left, (at, i) => {
      const other = at_(y, right[i] as number);
      return isQuotient ? at_(x, at) / other : at_(x, at) * other;
    });
    return { operand: { kind: "constant", tensor: { shape, data } } };
  }
  const isFirst = a.kind === "value";
  const value = (isFirst ? a : b) as Extract<Operand, { kind: "value" }>;
  const constant = requireConstant({ node, operands, index: isFirst ? 1 : 0 }).data;
  const rows = (isFirst ? left : right).map((at, i) => {
    const factor = at_(constant, (isFirst ? right : left)[i] as number);
    return { indices: [at], weights: [isQuotient ? 1 / factor : factor], bias: 0 };
  });
  return {
    operand: { kind: "value", value: output, shape },
    node: affineNode({
      input: value.value,
      output,
      inputCount: elementCount(value.shape),
      channelSize: channelSizeOf(shape),
      rows,
    }),
  };
}

/** weight * x + bias for every element, which `line` gives by the element's index. */
export function lines(parameters: {
  value: string;
  shape: number[];
  output: string;
  line: (index: number) => readonly [weight: number, bias: number];
}): Lowered {
  const { value, shape, output, line } = parameters;
  const count = elementCount(shape);
  return {
    operand: { kind: "value", value: output, shape },
    node: affineNode({
      input: value,
      output,
      inputCount: count,
      channelSize: channelSizeOf(shape),
      rows: Array.from({ length: count }, (_, index) => {
        const [weight, bias] = line(index);
        return { indices: [index], weights: [weight], bias };
      }),
    }),
  };
}

/** Elements of one channel of an image, or of a signal over time; 1 for everything else. */
export function channelSizeOf(shape: readonly number[]): number {
  return shape.length > 2 && shape[0] === 1 ? elementCount(shape.slice(2)) : 1;
}

/** BatchNormalization at inference: scale * (x - mean) / sqrt(variance + epsilon) + bias, per channel (axis 1). */
export const batchNormalization: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const [factor, bias, mean, variance] = [1, 2, 3, 4].map((index) =>
      Array.from(requireConstant({ node, operands, index }).data),
    ) as [number[], number[], number[], number[]];
    const epsilon = numberAttribute(node, "epsilon", 1e-5);
    if (numberAttribute(node, "training_mode", 0) !== 0) {
      throw unsupported({ node, why: "training_mode = 1 is not supported" });
    }
    const channels = x.shape[1] ?? 0;
    if ([factor, bias, mean, variance].some(({ length }) => length !== channels)) {
      throw shapeMismatch({ node, why: `its constants do not have ${channels} elements` });
    }
    const size = elementCount(x.shape) / channels;
    return lines({
      ...x,
      output,
      line: (index) => {
        const channel = Math.floor(index / size);
        const at = (values: readonly number[]): number => values[channel] as number;
        const weight = at(factor) / Math.sqrt(at(variance) + epsilon);
        return [weight, at(bias) - weight * at(mean)];
      },
    });
  },
};

function sharedShape(node: OnnxNode, a: Operand, b: Operand): number[] {
  const shape = broadcastShape(shapeOf(a), shapeOf(b));
  if (shape !== undefined) {
    requireAffordable({ node, shape });
    return shape;
  }
  const [small, large] = a.kind === "constant" ? [a, b] : [b, a];
  const why = `[${shapeOf(small)}] does not broadcast to [${shapeOf(large)}]`;
  throw shapeMismatch({ node, why });
}

export const shapeOf = (operand: Operand): number[] =>
  operand.kind === "value" ? operand.shape : operand.tensor.shape;

const at_ = (data: Float64Array, index: number): number => data[index] as number;

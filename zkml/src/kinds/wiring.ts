import { elementCount } from "@haca/model-runtime/integerModel";
import type { OnnxNode } from "../onnx/onnxGraph.ts";
import { affineNode } from "./affine.ts";
import { concatNode } from "./concat.ts";
import { shapeOf } from "./elementwise.ts";
import { broadcastIndices, broadcastShape, mapCoordinates, stridesOf } from "./indexing.ts";
import type { Lowered, Operand, Operator } from "./kind.ts";
import {
  listAttribute,
  listSetting,
  numberAttribute,
  requireAffordable,
  requireConstant,
  requireOperand,
  resolveAxes,
  shapeMismatch,
  textAttribute,
  unsupported,
  usable,
} from "./operands.ts";

/**
 * A tensor whose elements are elements of another (`indices`, by position), or the constant `fill` (index -1): of a
 * constant a constant, of a value wires. Where the order stays, the value itself.
 */
export function rewire(parameters: {
  node: OnnxNode;
  operand: Operand;
  shape: number[];
  indices: readonly number[];
  output: string;
  fill?: number;
}): Lowered {
  const { node, operand, shape, indices, output, fill = 0 } = parameters;
  if (operand.kind === "constant") {
    const { data } = usable(node, operand.tensor);
    const picked = Float64Array.from(indices, (i) => (i < 0 ? fill : (data[i] as number)));
    return { operand: { kind: "constant", tensor: { shape, data: picked } } };
  }
  const inputCount = elementCount(operand.shape);
  if (indices.length === inputCount && indices.every((index, at) => index === at)) {
    return { operand: { ...operand, shape } };
  }
  return {
    operand: { kind: "value", value: output, shape },
    node: affineNode({
      input: operand.value,
      output,
      inputCount,
      rows: indices.map((index) =>
        index < 0
          ? { indices: [], weights: [], bias: fill }
          : { indices: [index], weights: [1], bias: 0 },
      ),
    }),
  };
}

export const transpose: Operator = {
  lower: ({ node, operands, output }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const from = shapeOf(operand);
    const order = listAttribute(node, "perm", from.map((_, axis) => axis).toReversed());
    if (
      order.toSorted((a, b) => a - b).some((axis, at) => axis !== at) ||
      order.length !== from.length
    ) {
      throw unsupported({ node, why: `perm [${order}] is no order of ${from.length} axes` });
    }
    const strides = stridesOf(from);
    const shape = order.map((axis) => from[axis] as number);
    const indices = mapCoordinates(shape, (at) =>
      at.reduce((index, x, axis) => index + x * (strides[order[axis] as number] as number), 0),
    );
    return rewire({ node, operand, shape, indices, output });
  },
};

/** Slice by constant starts, ends, axes and steps (attributes before operator set 10). */
export const slice: Operator = {
  settings: [1, 2, 3, 4],
  lower: ({ node, operands, output }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const from = shapeOf(operand);
    const setting = (index: number, attribute: string) =>
      listSetting({ node, operands, index, attribute });
    const starts = setting(1, "starts") ?? [];
    const ends = setting(2, "ends") ?? [];
    const given = setting(3, "axes") ?? starts.map((_, axis) => axis);
    const axes = resolveAxes({ node, axes: given, rank: from.length });
    const steps = setting(4, "steps") ?? axes.map(() => 1);
    if ([starts, ends, steps].some(({ length }) => length !== axes.length) || steps.includes(0)) {
      throw unsupported({ node, why: "starts, ends, axes and steps do not fit together" });
    }
    const picks = from.map((size) => Array.from({ length: size }, (_, at) => at));
    for (const [position, axis] of axes.entries()) {
      const size = from[axis] as number;
      const step = steps[position] as number;
      const clamp = (x: number): number =>
        Math.min(Math.max(x < 0 ? x + size : x, step > 0 ? 0 : -1), step > 0 ? size : size - 1);
      const end = clamp(ends[position] as number);
      const picked: number[] = [];
      for (let at = clamp(starts[position] as number); step > 0 ? at < end : at > end; at += step) {
        picked.push(at);
      }
      picks[axis] = picked;
    }
    return pick({ node, operand, picks, output });
  },
};

/** Gather along an axis by constant indices. */
export const gather: Operator = {
  settings: [1],
  lower: ({ node, operands, output }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const wanted = requireConstant({ node, operands, index: 1 });
    const from = shapeOf(operand);
    const [axis = 0] = resolveAxes({
      node,
      axes: [numberAttribute(node, "axis", 0)],
      rank: from.length,
    });
    return gatherAxis({
      node,
      operand,
      axis,
      wanted: [...wanted.data],
      inner: wanted.shape,
      output,
    });
  },
};

/** ArrayFeatureExtractor: elements of the last axis by constant indices. */
export const arrayFeatureExtractor: Operator = {
  settings: [1],
  lower: ({ node, operands, output }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const index = requireOperand({ node, operands, index: 1 });
    if (operand.kind === "constant" && index.kind === "value") {
      return { operand: lookUp({ node, table: operand, index }) };
    }
    const wanted = requireConstant({ node, operands, index: 1 });
    const from = shapeOf(operand);
    return gatherAxis({
      node,
      operand,
      axis: from.length - 1,
      wanted: [...wanted.data],
      inner: [wanted.data.length],
      output,
    });
  },
};

/** Classes by their index: the index itself, where the classes are 0, 1, 2 …, else it with their names. */
function lookUp(parameters: {
  node: OnnxNode;
  table: Extract<Operand, { kind: "constant" }>;
  index: Extract<Operand, { kind: "value" }>;
}): Operand {
  const { node, table, index } = parameters;
  if (elementCount(index.shape) !== 1) {
    throw unsupported({ node, why: "only one class can be looked up by a computed index" });
  }
  const classes = table.tensor.strings ?? Array.from(usable(node, table.tensor).data, String);
  return { ...index, shape: [1], classes };
}

export const concat: Operator = {
  lower: ({ node, operands, output }) => {
    const parts = operands.map((_, index) => requireOperand({ node, operands, index }));
    const [first = []] = parts.map(shapeOf);
    const [axis = 0] = resolveAxes({
      node,
      axes: [numberAttribute(node, "axis", 0)],
      rank: first.length,
    });
    const misfit = parts.find((part) => {
      const shape = shapeOf(part);
      return shape.length !== first.length || shape.some((n, at) => at !== axis && n !== first[at]);
    });
    if (misfit !== undefined) {
      throw shapeMismatch({
        node,
        why: `[${first}] and [${shapeOf(misfit)}] do not fit along axis ${axis}`,
      });
    }
    const sizes = parts.map((part) => shapeOf(part)[axis] as number);
    const shape = first.with(
      axis,
      sizes.reduce((total, size) => total + size, 0),
    );
    requireAffordable({ node, shape });
    /** for every element of the result, its part and its place there */
    const sources: { part: number; index: number }[] = [];
    mapCoordinates(shape, (position) => {
      let part = 0;
      let at = position[axis] as number;
      while (at >= (sizes[part] as number)) at -= sizes[part++] as number;
      const strides = stridesOf(shapeOf(parts[part] as Operand));
      const index = position.reduce(
        (sum, x, along) => sum + (along === axis ? at : x) * (strides[along] as number),
        0,
      );
      sources.push({ part, index });
      return 0;
    });
    const constantAt = ({ part, index }: { part: number; index: number }): number => {
      const operand = parts[part] as Operand;
      return operand.kind === "constant" ? (usable(node, operand.tensor).data[index] as number) : 0;
    };
    const values = parts.filter((part) => part.kind === "value");
    if (values.length === 0) {
      const data = Float64Array.from(sources, constantAt);
      return { operand: { kind: "constant", tensor: { shape, data } } };
    }
    const starts: number[] = [];
    let inputCount = 0;
    for (const part of parts) {
      starts.push(inputCount);
      inputCount += part.kind === "value" ? elementCount(part.shape) : 0;
    }
    const joined = values.length === 1 ? (values[0]?.value ?? "") : `${output}/operands`;
    return {
      operand: { kind: "value", value: output, shape },
      nodes: [
        ...(values.length === 1
          ? []
          : [concatNode({ inputs: values.map(({ value }) => value), output: joined })]),
        affineNode({
          input: joined,
          output,
          inputCount,
          rows: sources.map((source) =>
            parts[source.part]?.kind === "value"
              ? { indices: [(starts[source.part] as number) + source.index], weights: [1], bias: 0 }
              : { indices: [], weights: [], bias: constantAt(source) },
          ),
        }),
      ],
    };
  },
};

/** Split along an axis into parts of stated sizes, or of equal ones. */
export const split: Operator = {
  settings: [1],
  lower: ({ node, operands }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const from = shapeOf(operand);
    const [axis = 0] = resolveAxes({
      node,
      axes: [numberAttribute(node, "axis", 0)],
      rank: from.length,
    });
    const total = from[axis] as number;
    const parts = numberAttribute(node, "num_outputs", node.outputs.length);
    const size = Math.ceil(total / parts);
    const equal = node.outputs.map((_, at) => Math.min(size, total - at * size));
    const sizes = listSetting({ node, operands, index: 1, attribute: "split" }) ?? equal;
    const sum = sizes.reduce((a, b) => a + b, 0);
    if (sizes.length !== node.outputs.length || sum !== total || sizes.some((n) => n < 1)) {
      throw shapeMismatch({ node, why: `[${from}] does not split into [${sizes}] along ${axis}` });
    }
    let start = 0;
    const lowered = node.outputs.map((output, at) => {
      const picks = from.map((length) => Array.from({ length }, (_, index) => index));
      picks[axis] = Array.from({ length: sizes[at] as number }, (_, index) => start + index);
      start += sizes[at] as number;
      return pick({ node, operand, picks, output });
    });
    const [first, ...rest] = lowered as [Lowered, ...Lowered[]];
    return {
      operand: first.operand,
      further: rest.map((one) => one.operand),
      nodes: lowered.flatMap((one) => (one.node === undefined ? [] : [one.node])),
    };
  },
};

/** Pad with a constant. */
export const pad: Operator = {
  settings: [1, 2, 3],
  lower: ({ node, operands, output }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const from = shapeOf(operand);
    if (textAttribute(node, "mode", "constant") !== "constant") {
      throw unsupported({ node, why: "only the mode `constant` is supported" });
    }
    const pads = listSetting({ node, operands, index: 1, attribute: "pads" }) ?? [];
    const given = listSetting({ node, operands, index: 3, attribute: "" });
    const axes = resolveAxes({
      node,
      axes: given ?? from.map((_, axis) => axis),
      rank: from.length,
    });
    const fill =
      operands[2] === undefined
        ? numberAttribute(node, "value", 0)
        : (requireConstant({ node, operands, index: 2 }).data[0] ?? 0);
    if (pads.length !== 2 * axes.length) {
      throw unsupported({ node, why: `pads [${pads}] do not fit ${axes.length} axes` });
    }
    const before = from.map(() => 0);
    const shape = [...from];
    for (const [at, axis] of axes.entries()) {
      before[axis] = pads[at] as number;
      shape[axis] =
        (from[axis] as number) + (pads[at] as number) + (pads[at + axes.length] as number);
    }
    if (shape.some((size) => size < 1)) {
      throw shapeMismatch({ node, why: `[${from}] cannot be padded by [${pads}]` });
    }
    requireAffordable({ node, shape });
    const strides = stridesOf(from);
    const indices = mapCoordinates(shape, (position) => {
      let index = 0;
      for (const [axis, x] of position.entries()) {
        const at = x - (before[axis] as number);
        if (at < 0 || at >= (from[axis] as number)) return -1;
        index += at * (strides[axis] as number);
      }
      return index;
    });
    return rewire({ node, operand, shape, indices, output, fill });
  },
};

/** Expand to a constant shape. */
export const expand: Operator = {
  settings: [1],
  lower: ({ node, operands, output }) => {
    const operand = requireOperand({ node, operands, index: 0 });
    const target = Array.from(requireConstant({ node, operands, index: 1 }).data);
    const shape = broadcastShape(shapeOf(operand), target);
    if (shape === undefined) {
      throw shapeMismatch({ node, why: `[${shapeOf(operand)}] cannot become [${target}]` });
    }
    requireAffordable({ node, shape });
    const indices = broadcastIndices({ from: shapeOf(operand), to: shape });
    return rewire({ node, operand, shape, indices, output });
  },
};

function gatherAxis(parameters: {
  node: OnnxNode;
  operand: Operand;
  axis: number;
  wanted: number[];
  /** the shape of the indices, which takes the axis' place */
  inner: readonly number[];
  output: string;
}): Lowered {
  const { node, operand, axis, wanted, inner, output } = parameters;
  const from = shapeOf(operand);
  const size = from[axis] as number;
  const resolved = wanted.map((index) => (index < 0 ? index + size : index));
  if (resolved.some((index) => !Number.isInteger(index) || index < 0 || index >= size)) {
    throw shapeMismatch({ node, why: `indices [${wanted}] are outside axis ${axis} of [${from}]` });
  }
  const picks = from.map((length) => Array.from({ length }, (_, at) => at)).with(axis, resolved);
  const shape = from.toSpliced(axis, 1, ...inner);
  return pick({ node, operand, picks, output, shape });
}

/** The elements whose coordinate along each axis is one of `picks`. */
function pick(parameters: {
  node: OnnxNode;
  operand: Operand;
  picks: readonly (readonly number[])[];
  output: string;
  shape?: number[];
}): Lowered {
  const { node, operand, picks, output } = parameters;
  const sizes = picks.map(({ length }) => length);
  const isConstant = operand.kind === "constant";
  if (!isConstant && sizes.includes(0)) {
    throw shapeMismatch({ node, why: `nothing of [${shapeOf(operand)}] is left` });
  }
  requireAffordable({ node, shape: sizes });
  const strides = stridesOf(shapeOf(operand));
  const indices = mapCoordinates(sizes, (position) =>
    position.reduce(
      (sum, x, axis) => sum + (picks[axis]?.[x] as number) * (strides[axis] as number),
      0,
    ),
  );
  return rewire({ node, operand, shape: parameters.shape ?? sizes, indices, output });
}

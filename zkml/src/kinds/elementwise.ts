import { elementCount } from "@haca/model-runtime/integerModel";
import { affineNode } from "./affine.ts";
import type { Operator } from "./kind.ts";
import {
  numberAttribute,
  requireConstant,
  requireValue,
  shapeMismatch,
  unsupported,
} from "./operands.ts";

/** Add of a computed value and a constant that broadcasts to it, in either order. */
export const add: Operator = {
  lower: ({ node, operands, output }) => {
    const valueIndex = operands[0]?.kind === "constant" ? 1 : 0;
    const value = requireValue({ node, operands, index: valueIndex });
    const constant = requireConstant({ node, operands, index: 1 - valueIndex });
    const pairing = broadcastIndices({ from: constant.shape, to: value.shape });
    if (pairing === undefined) {
      throw shapeMismatch({
        node,
        why: `[${constant.shape}] does not broadcast to [${value.shape}]`,
      });
    }
    return {
      operand: { kind: "value", value: output, shape: value.shape },
      node: affineNode({
        input: value.value,
        output,
        inputCount: pairing.length,
        rows: pairing.map((source, index) => ({
          indices: [index],
          weights: [1],
          bias: constant.data[source] as number,
        })),
      }),
    };
  },
};

/** BatchNormalization at inference: scale * (x - mean) / sqrt(variance + epsilon) + bias, per channel (axis 1). */
export const batchNormalization: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) =>
      Array.from(requireConstant({ node, operands, index }).data),
    ) as [number[], number[], number[], number[]];
    const epsilon = numberAttribute(node, "epsilon", 1e-5);
    if (numberAttribute(node, "training_mode", 0) !== 0) {
      throw unsupported({ node, why: "training_mode = 1 is not supported" });
    }
    const channels = x.shape[1] ?? 0;
    if ([scale, bias, mean, variance].some(({ length }) => length !== channels)) {
      throw shapeMismatch({ node, why: `its constants do not have ${channels} elements` });
    }
    const count = elementCount(x.shape);
    const size = count / channels;
    return {
      operand: { kind: "value", value: output, shape: x.shape },
      node: affineNode({
        input: x.value,
        output,
        inputCount: count,
        rows: Array.from({ length: count }, (_, index) => {
          const channel = Math.floor(index / size);
          const at = (values: readonly number[]): number => values[channel] as number;
          const factor = at(scale) / Math.sqrt(at(variance) + epsilon);
          return { indices: [index], weights: [factor], bias: at(bias) - factor * at(mean) };
        }),
      }),
    };
  },
};

/**
 * For each element of a tensor of shape `to`, the flat index of the element of a tensor of shape `from` that
 * ONNX (and NumPy) broadcasting pairs it with; undefined where `from` does not broadcast to `to`.
 */
function broadcastIndices(parameters: {
  from: readonly number[];
  to: readonly number[];
}): number[] | undefined {
  const { from, to } = parameters;
  if (from.length > to.length) {
    return undefined;
  }
  const padded = [...new Array<number>(to.length - from.length).fill(1), ...from];
  if (padded.some((size, axis) => size !== 1 && size !== to[axis])) {
    return undefined;
  }
  return Array.from({ length: elementCount(to) }, (_, flat) => {
    let rest = flat;
    let stride = 1;
    let index = 0;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const size = to[axis] as number;
      const source = padded[axis] as number;
      index += (source === 1 ? 0 : rest % size) * stride;
      rest = Math.floor(rest / size);
      stride *= source;
    }
    return index;
  });
}

import type { OnnxNode } from "../onnx/onnxGraph.ts";
import { affineNode } from "./affine.ts";
import type { AffineRow, Lowered, Operator } from "./kind.ts";
import { listAttribute, numberAttribute, requireValue, unsupported } from "./operands.ts";
import { slidingWindow } from "./slidingWindow.ts";

/** AveragePool over images, channel by channel. */
export const averagePool: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const [height, width] = listAttribute(node, "kernel_shape", []);
    if (height === undefined || width === undefined) {
      throw unsupported({ node, why: "needs kernel_shape of two dimensions" });
    }
    return average({ node, x, output, kernel: [height, width] });
  },
};

/** GlobalAveragePool: the mean of each channel. */
export const globalAveragePool: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const [, , height = 0, width = 0] = x.shape;
    return average({ node, x, output, kernel: [height, width] });
  },
};

function average(parameters: {
  node: OnnxNode;
  x: { value: string; shape: number[] };
  output: string;
  kernel: readonly [number, number];
}): Lowered {
  const { node, x, output, kernel } = parameters;
  const [, channels = 0, height = 0, width = 0] = x.shape;
  if (x.shape.length !== 4) {
    throw unsupported({ node, why: `needs an image, got [${x.shape}]` });
  }
  const countsPadding = numberAttribute(node, "count_include_pad", 0) !== 0;
  const { outputHeight, outputWidth, taps } = slidingWindow({
    node,
    image: [height, width],
    kernel,
  });
  const rows: AffineRow[] = [];
  for (let channel = 0; channel < channels; channel++) {
    for (const positions of taps) {
      const size = countsPadding ? kernel[0] * kernel[1] : positions.length;
      rows.push({
        indices: positions.map(({ pixel }) => channel * height * width + pixel),
        weights: positions.map(() => 1 / size),
        bias: 0,
      });
    }
  }
  return {
    operand: { kind: "value", value: output, shape: [1, channels, outputHeight, outputWidth] },
    node: affineNode({ input: x.value, output, inputCount: channels * height * width, rows }),
  };
}

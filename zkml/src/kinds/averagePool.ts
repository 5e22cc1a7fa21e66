import { elementCount } from "@haca/model-runtime/integerModel";
import type { OnnxNode } from "../onnx/onnxGraph.ts";
import { affineNode } from "./affine.ts";
import type { AffineRow, Lowered, Operator } from "./kind.ts";
import { listAttribute, numberAttribute, requireValue, unsupported } from "./operands.ts";
import { asImage, slidingWindow } from "./slidingWindow.ts";

/** AveragePool over images and signals, channel by channel. */
export const averagePool: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const kernel = listAttribute(node, "kernel_shape", []);
    if (kernel.length === 0) throw unsupported({ node, why: "needs kernel_shape" });
    return average({ node, x, output, kernel });
  },
};

/** GlobalAveragePool: the mean of each channel. */
export const globalAveragePool: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    return average({ node, x, output, kernel: x.shape.slice(2) });
  },
};

function average(parameters: {
  node: OnnxNode;
  x: { value: string; shape: number[] };
  output: string;
  kernel: number[];
}): Lowered {
  const { node, x, output, kernel } = parameters;
  const image = asImage({ node, shape: x.shape, kernel });
  const { channels, height, width } = image;
  const countsPadding = numberAttribute(node, "count_include_pad", 0) !== 0;
  const isCeil = numberAttribute(node, "ceil_mode", 0) !== 0;
  if (countsPadding && isCeil) {
    throw unsupported({ node, why: "ceil_mode = 1 with count_include_pad = 1 is not supported" });
  }
  const { outputShape, taps } = slidingWindow({ node, image });
  const rows: AffineRow[] = [];
  for (let channel = 0; channel < channels; channel++) {
    for (const positions of taps) {
      const size = countsPadding ? elementCount(kernel) : positions.length;
      rows.push({
        indices: positions.map(({ pixel }) => channel * height * width + pixel),
        weights: positions.map(() => 1 / size),
        bias: 0,
      });
    }
  }
  return {
    operand: { kind: "value", value: output, shape: [1, channels, ...outputShape] },
    node: affineNode({
      input: x.value,
      output,
      inputCount: channels * height * width,
      channelSize: taps.length,
      rows,
    }),
  };
}

import { affineNode } from "./affine.ts";
import type { AffineRow, Operator } from "./kind.ts";
import {
  numberAttribute,
  requireConstant,
  requireValue,
  shapeMismatch,
  unsupported,
} from "./operands.ts";
import { slidingWindow } from "./slidingWindow.ts";

/** Conv over images: X [1, channels, height, width], constant W [outputs, channels / groups, kh, kw] and B. */
export const conv: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const w = requireConstant({ node, operands, index: 1 });
    const b = operands[2] === undefined ? undefined : requireConstant({ node, operands, index: 2 });
    const groups = numberAttribute(node, "group", 1);
    if (x.shape.length !== 4 || w.shape.length !== 4) {
      throw unsupported({ node, why: `needs an image, got [${x.shape}] by [${w.shape}]` });
    }
    const [, channels = 0, height = 0, width = 0] = x.shape;
    const [outputs = 0, groupChannels = 0, kernelHeight = 0, kernelWidth = 0] = w.shape;
    if (groupChannels * groups !== channels || outputs % groups !== 0) {
      throw shapeMismatch({
        node,
        why: `${channels} channels in ${groups} groups do not fit W [${w.shape}]`,
      });
    }
    if (b !== undefined && b.data.length !== outputs) {
      throw shapeMismatch({ node, why: `B has shape [${b.shape}], expected [${outputs}]` });
    }
    const { outputHeight, outputWidth, taps } = slidingWindow({
      node,
      image: [height, width],
      kernel: [kernelHeight, kernelWidth],
    });
    const kernelSize = kernelHeight * kernelWidth;
    const rows: AffineRow[] = [];
    for (let out = 0; out < outputs; out++) {
      const firstChannel = Math.floor(out / (outputs / groups)) * groupChannels;
      for (const positions of taps) {
        const row: AffineRow = { indices: [], weights: [], bias: b?.data[out] ?? 0 };
        for (let channel = 0; channel < groupChannels; channel++) {
          for (const { kernel, pixel } of positions) {
            row.indices.push((firstChannel + channel) * height * width + pixel);
            row.weights.push(
              w.data[(out * groupChannels + channel) * kernelSize + kernel] as number,
            );
          }
        }
        rows.push(row);
      }
    }
    return {
      operand: { kind: "value", value: output, shape: [1, outputs, outputHeight, outputWidth] },
      node: affineNode({ input: x.value, output, inputCount: channels * height * width, rows }),
    };
  },
};

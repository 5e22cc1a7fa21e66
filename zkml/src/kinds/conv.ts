import { elementCount } from "@haca/model-runtime/integerModel";
import { affineNode } from "./affine.ts";
import type { AffineRow, Operator } from "./kind.ts";
import {
  numberAttribute,
  requireAffordable,
  requireConstant,
  requireValue,
  shapeMismatch,
} from "./operands.ts";
import { asImage, slidingWindow } from "./slidingWindow.ts";

/** Conv over images and signals: X [1, channels, size …], constant W [outputs, channels / groups, kernel …] and B. */
export const conv: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const w = requireConstant({ node, operands, index: 1 });
    const b = operands[2] === undefined ? undefined : requireConstant({ node, operands, index: 2 });
    const groups = numberAttribute(node, "group", 1);
    const [outputs = 0, groupChannels = 0, ...kernel] = w.shape;
    const image = asImage({ node, shape: x.shape, kernel });
    const { channels, height, width } = image;
    const kernelSize = elementCount(kernel);
    if (groupChannels * groups !== channels || outputs % groups !== 0) {
      throw shapeMismatch({
        node,
        why: `${channels} channels in ${groups} groups do not fit W [${w.shape}]`,
      });
    }
    if (b !== undefined && b.data.length !== outputs) {
      throw shapeMismatch({ node, why: `B has shape [${b.shape}], expected [${outputs}]` });
    }
    const { outputShape, taps } = slidingWindow({ node, image });
    const shape = [1, outputs, ...outputShape];
    requireAffordable({ node, shape, depth: groupChannels * kernelSize });
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
      operand: { kind: "value", value: output, shape },
      node: affineNode({
        input: x.value,
        output,
        inputCount: channels * height * width,
        channelSize: taps.length,
        rows,
      }),
    };
  },
};

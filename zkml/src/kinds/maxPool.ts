import { tournament } from "./activations.ts";
import type { Operator } from "./kind.ts";
import { listAttribute, requireValue, unsupported } from "./operands.ts";
import { asImage, slidingWindow } from "./slidingWindow.ts";

/** MaxPool over images and signals, channel by channel; what padding adds is never the greatest. */
export const maxPool: Operator = {
  lower: ({ node, operands, output }) => {
    const x = requireValue({ node, operands, index: 0 });
    const kernel = listAttribute(node, "kernel_shape", []);
    if (x.shape.length !== kernel.length + 2) {
      throw unsupported({ node, why: `kernel_shape [${kernel}] does not fit [${x.shape}]` });
    }
    const image = asImage({ node, shape: x.shape, kernel });
    const { channels, height, width } = image;
    const { outputShape, taps } = slidingWindow({ node, image });
    const most = taps.reduce((count, positions) => Math.max(count, positions.length), 0);
    const planes = Array.from({ length: most }, (_, plane) =>
      Array.from({ length: channels }, (_, channel) =>
        taps.map((positions) => {
          // a window that padding cuts compares its first element with itself
          const { pixel } = positions[plane] ?? positions[0] ?? { pixel: 0 };
          return { index: channel * height * width + pixel, sign: 1 as const };
        }),
      ).flat(),
    );
    return {
      operand: { kind: "value", value: output, shape: [1, channels, ...outputShape] },
      nodes: tournament({
        input: x.value,
        inputCount: channels * height * width,
        planes,
        output,
        channelSize: taps.length,
        sign: 1,
      }),
    };
  },
};

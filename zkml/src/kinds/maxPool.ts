import type { Operator } from "./kind.ts";
import { listAttribute, requireValue, unsupported } from "./operands.ts";
import { greatestOf } from "./pick.ts";
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
    const windows = Array.from({ length: channels }, (_, channel) =>
      taps.map((positions) =>
        Array.from({ length: most }, (_, at) => {
          // a window that padding cuts has its first element more than once
          const { pixel } = positions[at] ?? positions[0] ?? { pixel: 0 };
          return channel * height * width + pixel;
        }),
      ),
    ).flat();
    return {
      operand: { kind: "value", value: output, shape: [1, channels, ...outputShape] },
      nodes: greatestOf({
        input: x.value,
        inputCount: channels * height * width,
        windows,
        output,
        channels,
      }),
    };
  },
};

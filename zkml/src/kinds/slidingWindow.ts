import type { OnnxNode } from "../onnx/onnxGraph.ts";
import { listAttribute, numberAttribute, shapeMismatch, unsupported } from "./operands.ts";

/** Where the window of a convolution or pooling reads: one entry per output position, row-major. */
export type SlidingWindow = {
  outputHeight: number;
  outputWidth: number;
  /** taps[position]: kernel index and image index (row * width + column) of every tap inside the image */
  taps: { kernel: number; pixel: number }[][];
};

/**
 * Positions of a two-dimensional window over an image, with stride, zero padding and dilation as ONNX defines them.
 * Taps that fall on padding are left out.
 */
export function slidingWindow(parameters: {
  node: OnnxNode;
  /** height and width of the image */
  image: readonly [number, number];
  /** height and width of the window */
  kernel: readonly [number, number];
}): SlidingWindow {
  const { node, image, kernel } = parameters;
  const strides = listAttribute(node, "strides", [1, 1]);
  const dilations = listAttribute(node, "dilations", [1, 1]);
  const pads = listAttribute(node, "pads", [0, 0, 0, 0]);
  const autoPad = node.attributes.get("auto_pad") ?? "NOTSET";
  if (autoPad !== "NOTSET" && autoPad !== "VALID") {
    throw unsupported({ node, why: `auto_pad ${autoPad} is not supported; state the pads` });
  }
  if (numberAttribute(node, "ceil_mode", 0) !== 0) {
    throw unsupported({ node, why: "ceil_mode = 1 is not supported" });
  }
  if (strides.length !== 2 || dilations.length !== 2 || pads.length !== 4) {
    throw unsupported({ node, why: "only windows over two dimensions are supported" });
  }
  const sizes = [...strides, ...dilations, ...kernel];
  if (sizes.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw unsupported({ node, why: "strides, dilations and kernel sizes must be at least 1" });
  }
  const reach = [0, 1].map(
    (axis) => (dilations[axis] as number) * ((kernel[axis] as number) - 1) + 1,
  );
  if (pads.some((pad, index) => pad < 0 || pad >= (reach[index % 2] as number))) {
    throw unsupported({ node, why: `pads [${pads}] must be at least 0 and less than the window` });
  }
  const axes = [0, 1].map((axis) =>
    axisTaps({
      size: image[axis] as number,
      kernel: kernel[axis] as number,
      stride: strides[axis] as number,
      dilation: dilations[axis] as number,
      before: pads[axis] as number,
      after: pads[axis + 2] as number,
    }),
  );
  const [rows = [], columns = []] = axes;
  if (rows.length === 0 || columns.length === 0) {
    throw shapeMismatch({ node, why: `a window of [${kernel}] does not fit [${image}]` });
  }
  const taps = rows.flatMap((row) =>
    columns.map((column) =>
      row.flatMap((y) =>
        column.map((x) => ({
          kernel: y.kernel * kernel[1] + x.kernel,
          pixel: y.pixel * image[1] + x.pixel,
        })),
      ),
    ),
  );
  return { outputHeight: rows.length, outputWidth: columns.length, taps };
}

/** The taps of each window position along one axis. */
function axisTaps(parameters: {
  size: number;
  kernel: number;
  stride: number;
  dilation: number;
  before: number;
  after: number;
}): { kernel: number; pixel: number }[][] {
  const { size, kernel, stride, dilation, before, after } = parameters;
  const reach = dilation * (kernel - 1) + 1;
  const count = Math.floor((size + before + after - reach) / stride) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, position) => {
    const start = position * stride - before;
    return Array.from({ length: kernel }, (_, index) => ({
      kernel: index,
      pixel: start + index * dilation,
    })).filter(({ pixel }) => pixel >= 0 && pixel < size);
  });
}

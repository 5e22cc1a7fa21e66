import type { OnnxNode } from "../onnx/onnxGraph.ts";
import {
  listAttribute,
  numberAttribute,
  requireAffordable,
  shapeMismatch,
  textAttribute,
  unsupported,
} from "./operands.ts";

/** An image of channels, or a signal as an image of one row. */
export type Image = {
  channels: number;
  height: number;
  width: number;
  kernel: readonly [number, number];
  /** 1 for a signal */
  dimensions: 1 | 2;
};

/** Reads [1, channels, width] and [1, channels, height, width]. */
export function asImage(parameters: {
  node: OnnxNode;
  shape: readonly number[];
  kernel: readonly number[];
}): Image {
  const { node, shape, kernel } = parameters;
  const [batch, channels = 0, ...size] = shape;
  if (batch !== 1 || size.length !== kernel.length || size.length < 1 || size.length > 2) {
    throw unsupported({
      node,
      why: `needs an image or a signal of batch 1, got [${shape}] with a window of [${kernel}]`,
    });
  }
  const [height = 1, width = 1] = size.length === 1 ? [1, ...size] : size;
  const [kernelHeight = 1, kernelWidth = 1] = size.length === 1 ? [1, ...kernel] : kernel;
  return {
    channels,
    height,
    width,
    kernel: [kernelHeight, kernelWidth],
    dimensions: size.length === 1 ? 1 : 2,
  };
}

/** Where the window of a convolution or pooling reads: one entry per output position, row-major. */
export type SlidingWindow = {
  /** width, or height and width */
  outputShape: number[];
  /** taps[position]: kernel index and image index (row * width + column) of every tap inside the image */
  taps: { kernel: number; pixel: number }[][];
};

/**
 * Positions of a window over an image, with stride, zero padding, dilation and ceil_mode as ONNX defines them.
 * Taps that fall on padding are left out.
 */
export function slidingWindow(parameters: { node: OnnxNode; image: Image }): SlidingWindow {
  const { node, image } = parameters;
  const { kernel, dimensions } = image;
  const ones = new Array<number>(dimensions).fill(1);
  const given = {
    strides: listAttribute(node, "strides", ones),
    dilations: listAttribute(node, "dilations", ones),
    pads: listAttribute(node, "pads", [...ones, ...ones].fill(0)),
  };
  const lengths = [given.strides.length, given.dilations.length, given.pads.length / 2];
  if (lengths.some((length) => length !== dimensions)) {
    throw unsupported({ node, why: "strides, dilations and pads do not fit the window" });
  }
  const isSignal = dimensions === 1;
  const strides = isSignal ? [1, ...given.strides] : given.strides;
  const dilations = isSignal ? [1, ...given.dilations] : given.dilations;
  const [first = 0, second = 0] = given.pads;
  let pads = isSignal ? [0, first, 0, second] : given.pads;
  const sizes = [...strides, ...dilations, ...kernel];
  if (sizes.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw unsupported({ node, why: "strides, dilations and kernel sizes must be at least 1" });
  }
  const reach = [0, 1].map(
    (axis) => (dilations[axis] as number) * ((kernel[axis] as number) - 1) + 1,
  );
  const autoPad = textAttribute(node, "auto_pad", "NOTSET");
  const extent = [image.height, image.width];
  if (autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER") {
    pads = samePads({ extent, strides, reach, isUpper: autoPad === "SAME_UPPER" });
  } else if (autoPad !== "NOTSET" && autoPad !== "VALID") {
    throw unsupported({ node, why: `auto_pad ${autoPad} is not known` });
  }
  if (pads.some((pad, index) => pad < 0 || pad >= (reach[index % 2] as number))) {
    throw unsupported({
      node,
      why: `pads [${given.pads}] must be at least 0 and less than the window`,
    });
  }
  const positions = [0, 1].map((axis) => {
    const padded = (extent[axis] as number) + (pads[axis] as number) + (pads[axis + 2] as number);
    return Math.floor((padded - (reach[axis] as number)) / (strides[axis] as number)) + 2;
  });
  if (positions.every((count) => count > 1)) {
    requireAffordable({ node, shape: positions, depth: kernel[0] * kernel[1] });
  }
  const isCeil = numberAttribute(node, "ceil_mode", 0) !== 0;
  const axes = [0, 1].map((axis) =>
    axisTaps({
      size: extent[axis] as number,
      kernel: kernel[axis] as number,
      stride: strides[axis] as number,
      dilation: dilations[axis] as number,
      before: pads[axis] as number,
      after: pads[axis + 2] as number,
      isCeil,
    }),
  );
  const [rows = [], columns = []] = axes;
  if (rows.length === 0 || columns.length === 0) {
    throw shapeMismatch({ node, why: `a window of [${kernel}] does not fit [${extent}]` });
  }
  const taps = rows.flatMap((row) =>
    columns.map((column) =>
      row.flatMap((y) =>
        column.map((x) => ({
          kernel: y.kernel * kernel[1] + x.kernel,
          pixel: y.pixel * image.width + x.pixel,
        })),
      ),
    ),
  );
  return { outputShape: isSignal ? [columns.length] : [rows.length, columns.length], taps };
}

/** The padding at which the output has ceil(size / stride) positions; an odd one goes to the end, or the start. */
function samePads(parameters: {
  extent: number[];
  strides: readonly number[];
  reach: number[];
  isUpper: boolean;
}): number[] {
  const { extent, strides, reach, isUpper } = parameters;
  const ends = [0, 1].map((axis) => {
    const size = extent[axis] as number;
    const stride = strides[axis] as number;
    const needed = (Math.ceil(size / stride) - 1) * stride + (reach[axis] as number) - size;
    const total = Math.max(0, needed);
    const less = Math.floor(total / 2);
    return isUpper ? [less, total - less] : [total - less, less];
  });
  return [...ends.map(([before = 0]) => before), ...ends.map(([, after = 0]) => after)];
}

/** The taps of each window position along one axis. */
function axisTaps(parameters: {
  size: number;
  kernel: number;
  stride: number;
  dilation: number;
  before: number;
  after: number;
  isCeil: boolean;
}): { kernel: number; pixel: number }[][] {
  const { size, kernel, stride, dilation, before, after, isCeil } = parameters;
  const reach = dilation * (kernel - 1) + 1;
  const steps = (size + before + after - reach) / stride;
  let count = (isCeil ? Math.ceil(steps) : Math.floor(steps)) + 1;
  // a window that would start behind the image and its padding at the start is left out
  if (isCeil && (count - 1) * stride >= size + before) count -= 1;
  return Array.from({ length: Math.max(0, count) }, (_, position) => {
    const start = position * stride - before;
    return Array.from({ length: kernel }, (_, index) => ({
      kernel: index,
      pixel: start + index * dilation,
    })).filter(({ pixel }) => pixel >= 0 && pixel < size);
  });
}

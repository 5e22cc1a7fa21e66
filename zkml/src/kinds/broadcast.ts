import { elementCount } from "@haca/model-runtime/integerModel";

/**
 * For each element of a tensor of shape `to`, the flat index of the element of a tensor of shape `from` that
 * ONNX (and NumPy) broadcasting pairs it with; undefined where `from` does not broadcast to `to`.
 */
export function broadcastIndices(parameters: {
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

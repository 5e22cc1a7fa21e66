import { elementCount } from "@haca/model-runtime/integerModel";

/** Steps between neighbours along each axis of a row-major tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
}

/** For every element of a tensor in order, what `indexOf` makes of its coordinates. */
export function mapCoordinates(
  shape: readonly number[],
  indexOf: (coordinates: readonly number[]) => number,
): number[] {
  const coordinates = new Array<number>(shape.length).fill(0);
  return Array.from({ length: elementCount(shape) }, () => {
    const index = indexOf(coordinates);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      coordinates[axis] = (coordinates[axis] as number) + 1;
      if ((coordinates[axis] as number) < (shape[axis] as number)) break;
      coordinates[axis] = 0;
    }
    return index;
  });
}

/** The shape of two tensors that broadcast to each other as ONNX (and NumPy) have it, or undefined. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

/** For each element of a tensor of shape `to`, the element of one of shape `from` that it is paired with. */
export function broadcastIndices(parameters: {
  from: readonly number[];
  to: readonly number[];
}): number[] {
  const { from, to } = parameters;
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return mapCoordinates(to, (coordinates) => {
    let index = 0;
    for (const [axis, size] of from.entries()) {
      index += size === 1 ? 0 : (coordinates[axis + lead] as number) * (strides[axis] as number);
    }
    return index;
  });
}

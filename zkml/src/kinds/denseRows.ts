import type { AffineRow } from "./irGraph.ts";

/** Rows of a full matrix. Weights that are exactly 0 are left out. */
export function denseRows(parameters: {
  inputs: number;
  outputs: number;
  weight: (row: number, column: number) => number;
  bias: (row: number) => number;
}): AffineRow[] {
  const { inputs, outputs, weight, bias } = parameters;
  return Array.from({ length: outputs }, (_, row) => {
    const indices: number[] = [];
    const weights: number[] = [];
    for (let column = 0; column < inputs; column++) {
      const value = weight(row, column);
      if (value !== 0) {
        indices.push(column);
        weights.push(value);
      }
    }
    return { indices, weights, bias: bias(row) };
  });
}

import { affineNode } from "./affine.ts";
import type { AffineRow, Operator } from "./kind.ts";
import { numberAttribute, requireConstant, requireValue, shapeMismatch } from "./operands.ts";

/** Gemm: alpha * A * B + beta * C with A computed, [1, k] (or [k, 1] where transA is set), B and C constant. */
export const gemm: Operator = {
  lower: ({ node, operands, output }) => {
    const a = requireValue({ node, operands, index: 0 });
    const b = requireConstant({ node, operands, index: 1 });
    const alpha = numberAttribute(node, "alpha", 1);
    const beta = numberAttribute(node, "beta", 1);
    const transA = numberAttribute(node, "transA", 0) !== 0;
    const transB = numberAttribute(node, "transB", 0) !== 0;

    if (a.shape.length !== 2 || b.shape.length !== 2) {
      throw shapeMismatch({ node, why: `needs matrices, got [${a.shape}] and [${b.shape}]` });
    }
    const [batch = 0, inputs = 0] = transA ? a.shape.toReversed() : a.shape;
    const [depth = 0, outputs = 0] = transB ? b.shape.toReversed() : b.shape;
    if (batch !== 1 || depth !== inputs) {
      throw shapeMismatch({
        node,
        why: `[${batch}, ${inputs}] by [${depth}, ${outputs}] cannot be multiplied`,
      });
    }
    const c = operands[2] === undefined ? undefined : requireConstant({ node, operands, index: 2 });
    if (c !== undefined && c.data.length !== 1 && c.shape.at(-1) !== outputs) {
      throw shapeMismatch({ node, why: `C has shape [${c.shape}], expected [${outputs}]` });
    }
    if (c !== undefined && c.data.length !== 1 && c.data.length !== outputs) {
      throw shapeMismatch({ node, why: `C has shape [${c.shape}], expected [${outputs}]` });
    }
    return {
      operand: { kind: "value", value: output, shape: [1, outputs] },
      node: affineNode({
        input: a.value,
        output,
        inputCount: inputs,
        rows: denseRows({
          inputs,
          outputs,
          weight: (row, column) =>
            alpha * (b.data[transB ? row * inputs + column : column * outputs + row] as number),
          bias: (row) => beta * (c?.data[c.data.length === 1 ? 0 : row] ?? 0),
        }),
      }),
    };
  },
};

/** MatMul: A * B with A computed, [1, k], and B constant, [k, n]. */
export const matMul: Operator = {
  lower: ({ node, operands, output }) => {
    const a = requireValue({ node, operands, index: 0 });
    const b = requireConstant({ node, operands, index: 1 });
    const [batch, inputs = 0] = a.shape;
    const [depth, outputs = 0] = b.shape;
    if (a.shape.length !== 2 || b.shape.length !== 2 || batch !== 1 || depth !== inputs) {
      throw shapeMismatch({ node, why: `[${a.shape}] by [${b.shape}] cannot be multiplied` });
    }
    return {
      operand: { kind: "value", value: output, shape: [1, outputs] },
      node: affineNode({
        input: a.value,
        output,
        inputCount: inputs,
        rows: denseRows({
          inputs,
          outputs,
          weight: (row, column) => b.data[column * outputs + row] as number,
          bias: () => 0,
        }),
      }),
    };
  },
};

/** Rows of a full matrix. Weights that are exactly 0 are left out. */
function denseRows(parameters: {
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

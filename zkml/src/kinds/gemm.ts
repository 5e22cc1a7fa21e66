import { denseRows } from "./denseRows.ts";
import {
  type LowerOperator,
  numberAttribute,
  requireConstant,
  requireValue,
  shapeMismatch,
} from "./operator.ts";

/** Gemm: alpha * A * B + beta * C with A computed, [1, k] (or [k, 1] where transA is set), B and C constant. */
export const lowerGemm: LowerOperator = ({ node, operands, output }) => {
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
    node: {
      kind: "affine",
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
    },
  };
};

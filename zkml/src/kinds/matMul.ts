import { denseRows } from "./denseRows.ts";
import { type LowerOperator, requireConstant, requireValue, shapeMismatch } from "./operator.ts";

/** MatMul: A * B with A computed, [1, k], and B constant, [k, n]. */
export const lowerMatMul: LowerOperator = ({ node, operands, output }) => {
  const a = requireValue({ node, operands, index: 0 });
  const b = requireConstant({ node, operands, index: 1 });
  const [batch, inputs = 0] = a.shape;
  const [depth, outputs = 0] = b.shape;
  if (a.shape.length !== 2 || b.shape.length !== 2 || batch !== 1 || depth !== inputs) {
    throw shapeMismatch({ node, why: `[${a.shape}] by [${b.shape}] cannot be multiplied` });
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
        weight: (row, column) => b.data[column * outputs + row] as number,
        bias: () => 0,
      }),
    },
  };
};

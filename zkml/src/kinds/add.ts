import { broadcastIndices } from "./broadcast.ts";
import { type LowerOperator, requireConstant, requireValue, shapeMismatch } from "./operator.ts";

/** Add of a computed value and a constant that broadcasts to it, in either order. */
export const lowerAdd: LowerOperator = ({ node, operands, output }) => {
  const valueIndex = operands[0]?.kind === "constant" ? 1 : 0;
  const value = requireValue({ node, operands, index: valueIndex });
  const constant = requireConstant({ node, operands, index: 1 - valueIndex });
  const pairing = broadcastIndices({ from: constant.shape, to: value.shape });
  if (pairing === undefined) {
    throw shapeMismatch({
      node,
      why: `[${constant.shape}] does not broadcast to [${value.shape}]`,
    });
  }
  return {
    operand: { kind: "value", value: output, shape: value.shape },
    node: {
      kind: "affine",
      input: value.value,
      output,
      inputCount: pairing.length,
      rows: pairing.map((source, index) => ({
        indices: [index],
        weights: [1],
        bias: constant.data[source] as number,
      })),
    },
  };
};

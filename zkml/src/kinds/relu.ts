import { type LowerOperator, requireValue } from "./operator.ts";

/** Relu: max(0, x), element by element. */
export const lowerRelu: LowerOperator = ({ node, operands, output }) => {
  const { value, shape } = requireValue({ node, operands, index: 0 });
  return {
    operand: { kind: "value", value: output, shape },
    node: { kind: "relu", input: value, output },
  };
};

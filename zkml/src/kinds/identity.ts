import { type LowerOperator, requireOperand } from "./operator.ts";

/** Identity, and Dropout at inference: the input itself. */
export const lowerIdentity: LowerOperator = ({ node, operands }) => ({
  operand: requireOperand({ node, operands, index: 0 }),
});

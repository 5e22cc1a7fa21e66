import { type LowerOperator, unsupported } from "./operator.ts";

/** Constant with a tensor value. */
export const lowerConstant: LowerOperator = ({ node }) => {
  const tensor = node.attributes.get("value");
  if (typeof tensor !== "object" || Array.isArray(tensor)) {
    throw unsupported({ node, why: "only the attribute `value` (a tensor) is supported" });
  }
  return { operand: { kind: "constant", tensor } };
};

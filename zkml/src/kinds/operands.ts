import {
  type AttributeValue,
  type ConstantTensor,
  OnnxError,
  type OnnxNode,
} from "../onnx/onnxGraph.ts";
import type { Operand } from "./kind.ts";

/** An input that the operator needs. */
export function requireOperand(parameters: {
  node: OnnxNode;
  operands: (Operand | undefined)[];
  index: number;
}): Operand {
  const { node, operands, index } = parameters;
  const operand = operands[index];
  if (operand === undefined) {
    throw new OnnxError({
      reason: "valueMissing",
      message: `node ${node.name}: ${node.operator} needs input ${index}`,
    });
  }
  return operand;
}

/** An input that must be computed from the model's input. */
export function requireValue(parameters: {
  node: OnnxNode;
  operands: (Operand | undefined)[];
  index: number;
}): { value: string; shape: number[] } {
  const operand = requireOperand(parameters);
  if (operand.kind !== "value") {
    throw unsupported({ node: parameters.node, why: `input ${parameters.index} is a constant` });
  }
  return operand;
}

/** An input that must be a constant. */
export function requireConstant(parameters: {
  node: OnnxNode;
  operands: (Operand | undefined)[];
  index: number;
}): ConstantTensor {
  const operand = requireOperand(parameters);
  if (operand.kind !== "constant") {
    throw unsupported({
      node: parameters.node,
      why: `input ${parameters.index} is computed, only a constant is supported there`,
    });
  }
  return operand.tensor;
}

/** A numeric attribute, or its default. */
export function numberAttribute(node: OnnxNode, name: string, fallback: number): number {
  const value = node.attributes.get(name) ?? fallback;
  if (typeof value !== "number") {
    throw attributeType({ node, name, value, expected: "a number" });
  }
  return value;
}

/** A list attribute, or its default. */
export function listAttribute(node: OnnxNode, name: string, fallback: number[]): number[] {
  const value = node.attributes.get(name) ?? fallback;
  if (!Array.isArray(value)) {
    throw attributeType({ node, name, value, expected: "a list of numbers" });
  }
  return value;
}

function attributeType(parameters: {
  node: OnnxNode;
  name: string;
  value: AttributeValue;
  expected: string;
}): OnnxError {
  const { node, name, expected } = parameters;
  return new OnnxError({
    reason: "unsupportedAttribute",
    message: `node ${node.name}: attribute ${name} must be ${expected}`,
  });
}

/** A use of a supported operator that the compiler does not cover. */
export function unsupported(parameters: { node: OnnxNode; why: string }): OnnxError {
  const { node, why } = parameters;
  return new OnnxError({
    reason: "unsupportedOperator",
    message: `node ${node.name}: ${node.operator}: ${why}`,
    details: { node: node.name, operator: node.operator },
  });
}

/** Operands whose shapes do not fit together. */
export function shapeMismatch(parameters: { node: OnnxNode; why: string }): OnnxError {
  const { node, why } = parameters;
  return new OnnxError({
    reason: "shapeInvalid",
    message: `node ${node.name}: ${node.operator}: ${why}`,
    details: { node: node.name, operator: node.operator },
  });
}

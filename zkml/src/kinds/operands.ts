import {
  type AttributeValue,
  type ConstantTensor,
  OnnxError,
  type OnnxNode,
} from "../onnx/onnxGraph.ts";
import type { Operand, ValueOperand } from "./kind.ts";

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
      details: { node: node.name, operator: node.operator },
    });
  }
  return operand;
}

/** An input that must be computed from the model's input. */
export function requireValue(parameters: {
  node: OnnxNode;
  operands: (Operand | undefined)[];
  index: number;
}): ValueOperand {
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
  return usable(parameters.node, operand.tensor);
}

/** A constant that the node can compute with: its element type was read and its numbers are finite. */
export function usable(node: OnnxNode, tensor: ConstantTensor): ConstantTensor {
  if (tensor.problem !== undefined) throw unsupported({ node, why: tensor.problem });
  return tensor;
}

/** A constant input that may be left out. */
export function optionalConstant(parameters: {
  node: OnnxNode;
  operands: (Operand | undefined)[];
  index: number;
}): ConstantTensor | undefined {
  const { operands, index } = parameters;
  return operands[index] === undefined ? undefined : requireConstant(parameters);
}

/** Integers of a constant input, or of the attribute that older operator sets have in its place. */
export function listSetting(parameters: {
  node: OnnxNode;
  operands: (Operand | undefined)[];
  index: number;
  attribute: string;
}): number[] | undefined {
  const { node, attribute } = parameters;
  const tensor = optionalConstant(parameters);
  if (tensor !== undefined) return Array.from(tensor.data);
  return node.attributes.has(attribute) ? listAttribute(node, attribute, []) : undefined;
}

/** Axes from 0, from axes that may count from the end. */
export function resolveAxes(parameters: {
  node: OnnxNode;
  axes: readonly number[];
  rank: number;
}): number[] {
  const { node, axes, rank } = parameters;
  return axes.map((axis) => {
    const position = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(position) || position < 0 || position >= rank) {
      throw unsupported({ node, why: `axis ${axis} is outside a value of ${rank} dimensions` });
    }
    return position;
  });
}

/** A list of strings, or undefined where the attribute is not there. */
export function stringsAttribute(node: OnnxNode, name: string): string[] | undefined {
  const value = node.attributes.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== "object" || !("strings" in value)) {
    throw attributeType({ node, name, value, expected: "a list of strings" });
  }
  return value.strings;
}

/** A text attribute, or its default. */
export function textAttribute(node: OnnxNode, name: string, fallback: string): string {
  const value = node.attributes.get(name) ?? fallback;
  if (typeof value !== "string") {
    throw attributeType({ node, name, value, expected: "a text" });
  }
  return value;
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
    details: { node: node.name, operator: node.operator },
  });
}

/** Elements of one value, and products in one layer, beyond which nothing is allocated. */
const MAXIMUM_ELEMENTS = 1 << 24;
const MAXIMUM_TERMS = 1 << 26;

/** Refuses what would not fit into memory before anything of that size is built: a small file can ask for much. */
export function requireAffordable(parameters: {
  node: OnnxNode;
  shape: readonly number[];
  /** products that each element sums */
  depth?: number;
}): void {
  const { node, shape, depth = 1 } = parameters;
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements > MAXIMUM_ELEMENTS || elements * depth > MAXIMUM_TERMS) {
    throw new OnnxError({
      reason: "tooLarge",
      message: `node ${node.name}: ${node.operator}: [${shape}] has more than ${MAXIMUM_ELEMENTS} elements, or sums more than ${MAXIMUM_TERMS} products`,
      details: { node: node.name, operator: node.operator },
    });
  }
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

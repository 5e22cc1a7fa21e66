import { BaseError } from "@haca/protocol/baseError";

/** A constant tensor: row-major, real numbers or integers as JavaScript numbers. */
export type ConstantTensor = { shape: number[]; data: Float64Array };

/** A dimension: its size, or undefined where the file leaves it open. */
export type Dimension = number | undefined;

export type ValueInfo = { name: string; elementType: number; dimensions: Dimension[] };

export type AttributeValue = number | string | number[] | ConstantTensor;

/** A node as the file has it; an optional input that is left out has the name "". */
export type OnnxNode = {
  /** its name, or `Operator #index` where it has none */
  name: string;
  operator: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, AttributeValue>;
};

export type OnnxGraph = {
  name: string;
  opset: number;
  nodes: OnnxNode[];
  initialisers: Map<string, ConstantTensor>;
  /** graph inputs that are not initialisers */
  inputs: ValueInfo[];
  outputs: ValueInfo[];
};

/** An error of an ONNX file: unreadable, inconsistent, or beyond what the compiler supports. */
export class OnnxError extends BaseError {
  constructor(parameters: {
    reason:
      | "malformed"
      | "tooLarge"
      | "tensorInvalid"
      | "shapeInvalid"
      | "inputUnsupported"
      | "valueMissing"
      | "unsupportedOperator"
      | "unsupportedAttribute";
    message: string;
    details?: Record<string, unknown>;
    cause?: unknown;
  }) {
    const { reason, ...rest } = parameters;
    super({ code: `onnx.${reason}`, ...rest });
  }
}

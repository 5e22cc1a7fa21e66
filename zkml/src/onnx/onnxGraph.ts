import { BaseError } from "@haca/protocol/baseError";

/** A constant tensor: row-major, real numbers or integers as JavaScript numbers. */
export type ConstantTensor = {
  shape: number[];
  data: Float64Array;
  /** as the file has it (`onnxSchema.ts`), where the tensor comes from it */
  elementType?: number;
  /** its elements, where they are texts */
  strings?: string[];
  /** why it cannot be computed with; an error only of the node that does */
  problem?: string;
};

/** A dimension: its size, or undefined where the file leaves it open. */
export type Dimension = number | undefined;

export type ValueInfo = { name: string; elementType: number; dimensions: Dimension[] };

export type AttributeValue = number | string | number[] | ConstantTensor | Strings | Unread;

/** A list of strings, such as the names of classes. */
export type Strings = { strings: string[] };

/** An attribute that is not read, such as the body of a loop: an error only of the operator that needs it. */
export type Unread = { unread: number };

/** A node as the file has it; an optional input that is left out has the name "". */
export type OnnxNode = {
  /** its name, or `Operator #index` where it has none */
  name: string;
  /** `Relu`; with the domain in front where that is not ai.onnx: `ai.onnx.ml.Scaler` */
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
  /** names of the outputs, in the order of the file */
  outputs: string[];
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
      | "unsupportedAttribute"
      | "externalData";
    message: string;
    details?: Record<string, unknown>;
    cause?: unknown;
  }) {
    const { reason, ...rest } = parameters;
    super({ code: `onnx.${reason}`, ...rest });
  }
}

import { BaseError } from "@haca/protocol/baseError";

/** A fault of an ONNX file: unreadable, inconsistent, or beyond what the compiler supports. */
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

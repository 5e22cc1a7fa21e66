import { BaseError } from "@haca/protocol/baseError";

/** A model or calibration set that cannot be quantised. */
export class QuantiseError extends BaseError {
  constructor(parameters: {
    reason: "calibrationInvalid" | "optionInvalid" | "rangeTooWide" | "scaleOutOfRange";
    message: string;
    details?: Record<string, unknown>;
  }) {
    const { reason, ...rest } = parameters;
    super({ code: `quantise.${reason}`, ...rest });
  }
}

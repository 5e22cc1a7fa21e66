import { BaseError } from "@haca/protocol/baseError";

/** Range and scale of the model's input, where the caller fixes them. */
export type InputRange = { minimum: number; maximum: number; scaleExponent: number };

export type QuantiseOptions = {
  /** bits of a weight, sign included */
  weightBits: number;
  /** bits of a hidden activation over the range that calibration shows */
  activationBits: number;
  /** bits of an input element, for inputs that are real numbers */
  inputBits: number;
  /** outputs that can be wider are divided by a power of two */
  outputBits: number;
  /** fixes range and scale of the input instead of taking them from calibration */
  input?: InputRange;
};

export const DEFAULT_QUANTISE_OPTIONS: QuantiseOptions = {
  weightBits: 8,
  activationBits: 8,
  inputBits: 8,
  outputBits: 24,
};

/** Throws `quantise.optionInvalid`. */
export function checkOptions(options: QuantiseOptions): void {
  const limits = [
    ["weightBits", 2, 16],
    ["activationBits", 2, 16],
    ["inputBits", 2, 32],
    ["outputBits", 2, 53],
  ] as const;
  for (const [name, minimum, maximum] of limits) {
    const value = options[name];
    if (!Number.isInteger(value) || value < minimum || value > maximum) {
      throw new QuantiseError({
        reason: "optionInvalid",
        message: `${name} must be an integer from ${minimum} to ${maximum}, got ${value}`,
      });
    }
  }
}

/** A model or calibration set that cannot be quantised. Sums beyond 2^48 are `quantise.rangeTooWide`, by the runtime. */
export class QuantiseError extends BaseError {
  constructor(parameters: {
    reason:
      | "calibrationInvalid"
      | "optionInvalid"
      | "scaleOutOfRange"
      | "nameTaken"
      | "errorTooLarge";
    message: string;
    details?: Record<string, unknown>;
  }) {
    const { reason, ...rest } = parameters;
    super({ code: `quantise.${reason}`, ...rest });
  }
}

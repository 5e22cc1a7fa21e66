import type { IntegerModel } from "@haca/model-runtime/integerModel";
import type { GraphValue } from "../kinds/graph.ts";
import { scaleExponentFor } from "../kinds/quantiser.ts";
import { type InputRange, QuantiseError } from "./options.ts";

/**
 * How the input becomes integers. Without a fixed range: samples that are all integers are taken as they are,
 * with the range they show; real numbers get `bits` bits and the smallest power-of-two scale that covers them.
 */
export function chooseInput(parameters: {
  input: GraphValue;
  samples: readonly (readonly number[])[];
  bits: number;
  fixed?: InputRange;
}): IntegerModel["input"] {
  const { input, samples, bits, fixed } = parameters;
  if (fixed !== undefined) {
    if (!Number.isSafeInteger(fixed.minimum) || !Number.isSafeInteger(fixed.maximum)) {
      throw invalid("input range: minimum and maximum must be integers");
    }
    if (fixed.minimum >= fixed.maximum) {
      throw invalid(`input range: minimum ${fixed.minimum} is not below maximum ${fixed.maximum}`);
    }
    return { ...input, ...fixed };
  }
  let smallest = 0;
  let largest = 0;
  let isIntegral = true;
  for (const sample of samples) {
    for (const value of sample) {
      smallest = Math.min(smallest, value);
      largest = Math.max(largest, value);
      isIntegral &&= Number.isInteger(value);
    }
  }
  if (smallest === largest) {
    throw new QuantiseError({
      reason: "calibrationInvalid",
      message: "every calibration value is 0: the input has no range",
    });
  }
  if (isIntegral && largest - smallest < 2 ** 16) {
    return { ...input, minimum: smallest, maximum: largest, scaleExponent: 0 };
  }
  const isSigned = smallest < 0;
  const limit = isSigned ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const scaleExponent = scaleExponentFor({ largest: Math.max(largest, -smallest), limit });
  return { ...input, minimum: isSigned ? -limit : 0, maximum: limit, scaleExponent };
}

function invalid(message: string): QuantiseError {
  return new QuantiseError({ reason: "optionInvalid", message });
}

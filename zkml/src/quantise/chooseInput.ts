import type { IntegerModel } from "@haca/model-runtime/integerModel";
import type { GraphValue } from "../kinds/graph.ts";
import { scaleExponentFor } from "../kinds/quantiser.ts";
import { type InputRange, QuantiseError } from "./options.ts";

/** Part of the range that calibration shows which is added beyond it: requests are not the calibration samples. */
const MARGIN = 1 / 4;

/** Whole numbers are taken as they are up to this range. */
const MAXIMUM_INTEGER_RANGE = 2 ** 32;

/**
 * How the input becomes integers. Without a fixed range: where all samples are whole numbers they are taken as they are;
 * real numbers get `bits` bits and the smallest power-of-two scale that covers them. Both with a margin. Samples of
 * nothing but 0 and 1 say nothing about fractions between, and count as real numbers.
 */
export function chooseInput(parameters: {
  input: GraphValue;
  samples: readonly (readonly number[])[];
  /** further samples, which only say whether the input is made of whole numbers */
  others: readonly (readonly number[])[];
  bits: number;
  fixed?: InputRange;
}): IntegerModel["input"] {
  const { input, samples, others, bits, fixed } = parameters;
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
  for (const sample of samples) {
    for (const value of sample) {
      smallest = Math.min(smallest, value);
      largest = Math.max(largest, value);
    }
  }
  if (smallest === largest) {
    throw new QuantiseError({
      reason: "calibrationInvalid",
      message: "every calibration value is 0: the input has no range",
    });
  }
  const margin = (largest - smallest) * MARGIN;
  const isIntegral = [samples, others].every((set) => set.every((x) => x.every(Number.isInteger)));
  if (isIntegral && largest - smallest > 1 && largest - smallest < MAXIMUM_INTEGER_RANGE) {
    return {
      ...input,
      minimum: smallest < 0 ? smallest - Math.ceil(margin) : 0,
      maximum: largest > 0 ? largest + Math.ceil(margin) : 0,
      scaleExponent: 0,
      isInteger: true,
    };
  }
  const isSigned = smallest < 0;
  const limit = isSigned ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const scaleExponent = scaleExponentFor({ largest: Math.max(largest, -smallest) + margin, limit });
  return { ...input, minimum: isSigned ? -limit : 0, maximum: limit, scaleExponent };
}

function invalid(message: string): QuantiseError {
  return new QuantiseError({ reason: "optionInvalid", message });
}

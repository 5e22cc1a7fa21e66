import { BaseError } from "@haca/protocol/baseError";
import type { Manifest } from "@haca/protocol/manifest";
import type { TensorLayout } from "@haca/protocol/packedWords";

/**
 * Real numbers to the integers of the input tensor: the nearest multiple of the input's scale, halves away from
 * zero. Throws `input.wrongLength`, `input.notFinite`, `input.notInteger` (where the model takes
 * whole numbers only) and `input.outOfRange`, all but the first with the index.
 */
export function quantiseInput(parameters: {
  manifest: Pick<Manifest, "input">;
  values: readonly number[];
}): bigint[] {
  const { values } = parameters;
  const { name, layout, minimum, maximum, isInteger } = parameters.manifest.input;
  if (values.length !== layout.count) {
    throw new BaseError({
      code: "input.wrongLength",
      message: `${name} has ${layout.count} elements, got ${values.length}`,
      details: { expected: layout.count, actual: values.length },
    });
  }
  const scale = 2 ** layout.scaleExponent;
  return values.map((value, index) => {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new BaseError({
        code: "input.notFinite",
        message: `element ${index} of ${name} is not a finite number`,
        details: { index },
      });
    }
    if (isInteger === true && !Number.isInteger(value)) {
      throw new BaseError({
        code: "input.notInteger",
        message: `element ${index} of ${name} is ${value}: the model was compiled for whole numbers`,
        details: { index, value },
      });
    }
    const integer = Math.sign(value) * Math.round(Math.abs(value / scale));
    if (integer < minimum || integer > maximum) {
      throw new BaseError({
        code: "input.outOfRange",
        message: `element ${index} of ${name} is ${value}, must be ${minimum * scale} to ${maximum * scale}`,
        details: { index, value, minimum: minimum * scale, maximum: maximum * scale },
      });
    }
    return BigInt(integer);
  });
}

/** Integers of a tensor to the real numbers they stand for: integer * 2^scaleExponent. */
export function dequantise(parameters: {
  layout: Pick<TensorLayout, "scaleExponent">;
  integers: readonly bigint[];
}): number[] {
  const scale = 2 ** parameters.layout.scaleExponent;
  return parameters.integers.map((integer) => Number(integer) * scale);
}

/** Refuses an integer that the input does not take: `input.outOfRange`, with the index. */
export function requireInRange(parameters: {
  tensor: { name: string; minimum: number; maximum: number };
  input: readonly bigint[];
}): void {
  const { tensor, input } = parameters;
  const { name, minimum, maximum } = tensor;
  const outside = input.findIndex((x) => x < BigInt(minimum) || x > BigInt(maximum));
  if (outside !== -1) {
    throw new BaseError({
      code: "input.outOfRange",
      message: `element ${outside} of ${name} is ${input[outside]}, must be ${minimum} to ${maximum}`,
      details: { index: outside },
    });
  }
}

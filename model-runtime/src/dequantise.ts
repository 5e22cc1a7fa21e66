import type { TensorLayout } from "@haca/protocol/tensorLayout";

/** Integers of a tensor to the real numbers they stand for: integer * 2^scaleExponent. */
export function dequantise(parameters: {
  layout: Pick<TensorLayout, "scaleExponent">;
  integers: readonly bigint[];
}): number[] {
  const scale = 2 ** parameters.layout.scaleExponent;
  return parameters.integers.map((integer) => Number(integer) * scale);
}

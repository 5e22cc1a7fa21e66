import type { TensorLayout } from "@haca/protocol/tensorLayout";

/** Widest element that is read as a class index: 65536 classes. */
const LABEL_BITS = 16;

/**
 * The class index of an answer, or null. Layouts carry no names, so the rule goes by shape: the last output
 * tensor is a label if it has exactly one element, unsigned, of at most 16 bits, in units of 1.
 */
export function labelOf(parameters: {
  outputLayout: readonly TensorLayout[];
  outputs: readonly (readonly string[])[];
}): number | null {
  const layout = parameters.outputLayout.at(-1);
  const element = parameters.outputs.at(-1)?.[0];
  if (layout === undefined || element === undefined) {
    return null;
  }
  const { count, bits, isSigned, scaleExponent } = layout;
  const isLabel = count === 1 && bits <= LABEL_BITS && !isSigned && scaleExponent === 0;
  return isLabel ? Number(element) : null;
}

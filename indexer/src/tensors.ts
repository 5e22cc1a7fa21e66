import { BaseError } from "@haca/protocol/baseError";
import { type TensorLayout, unpackWords, wordCount } from "@haca/protocol/packedWords";
import type { RegisteredInputMode } from "@haca/protocol/registeredInputMode";

/**
 * Integers of each tensor, as decimal strings: an element may be wider than a JavaScript number. Nobody knows inputs of which
 * the chain has a commitment.
 */
export type DecodedTensors = { inputs: string[][] | null; outputs: string[][] };

/**
 * Reads the words of a settlement (input words, then output words) by the layouts of its version.
 * Returns null where the words do not fit the layouts: too few, too many, or bits that no element owns.
 * A proof can be valid for such words if its circuit does not forbid them; what they mean is unknown.
 */
export function decodeTensors(parameters: {
  inputMode: RegisteredInputMode | null;
  inputLayout: readonly TensorLayout[];
  outputLayout: readonly TensorLayout[];
  words: readonly bigint[];
}): DecodedTensors | null {
  const { inputMode, inputLayout, outputLayout, words } = parameters;
  const isCommitted = inputMode === "committed";
  const inputWords = isCommitted ? 1 : wordCount(inputLayout);
  try {
    return {
      inputs: isCommitted
        ? null
        : decimal(unpackWords({ layouts: inputLayout, words: words.slice(0, inputWords) })),
      outputs: decimal(unpackWords({ layouts: outputLayout, words: words.slice(inputWords) })),
    };
  } catch (error) {
    if (error instanceof BaseError && error.code.startsWith("words.")) {
      return null;
    }
    throw error;
  }
}

function decimal(tensors: bigint[][]): string[][] {
  return tensors.map((tensor) => tensor.map(String));
}

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

import { BaseError } from "@haca/protocol/baseError";
import type { Manifest } from "@haca/protocol/manifest";
import { packWords, WORD_BITS } from "@haca/protocol/packedWords";
import { requireInRange } from "./quantise.ts";

/**
 * The signals that a compiled model's witness is computed from, and the words that are public: input words, then
 * output words. `input` and `outputs` hold the integers of the tensors.
 *
 * Throws `input.outOfRange` for an integer that the circuit refuses, `words.*` for outputs that do not fit their
 * layout, and `context.outOfRange`.
 */
export function circuitInput(parameters: {
  manifest: Pick<Manifest, "input" | "outputs">;
  input: readonly bigint[];
  outputs: readonly (readonly bigint[])[];
  /** the settlement message's digest, shifted right by 8 bits */
  context: bigint;
}): { signals: Record<string, string[] | string>; words: bigint[] } {
  const { manifest, input, outputs, context } = parameters;
  const { layout } = manifest.input;
  if (context < 0n || context >= 1n << BigInt(WORD_BITS)) {
    throw new BaseError({
      code: "context.outOfRange",
      message: `context must be in [0, 2^${WORD_BITS}), got ${context}`,
    });
  }
  requireInRange({ tensor: manifest.input, input });
  const inputWords = packWords({ layouts: [layout], integers: input });
  const outputWords = packWords({
    layouts: manifest.outputs.map((output) => output.layout),
    integers: outputs.flat(),
  });
  const offset = layout.isSigned ? 1n << BigInt(layout.bits - 1) : 0n;
  return {
    signals: {
      inputWords: inputWords.map(String),
      outputWords: outputWords.map(String),
      context: String(context),
      elements: input.map((integer) => String(integer + offset)),
    },
    words: [...inputWords, ...outputWords],
  };
}

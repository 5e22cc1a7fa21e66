import { BaseError } from "@haca/protocol/baseError";
import { commitInput } from "@haca/protocol/inputCommitment";
import { modeOf } from "@haca/protocol/inputMode";
import type { Manifest } from "@haca/protocol/manifest";
import { packWords, WORD_BITS } from "@haca/protocol/packedWords";
import { requireInRange } from "./quantise.ts";

/**
 * The signals that a compiled model's witness is computed from, and the words that are public: input words, or the commitment to
 * them, then output words. `input` and `outputs` hold the integers of the tensors.
 *
 * Throws `input.outOfRange` for an integer that the circuit refuses, `words.*` for outputs that do not fit their
 * layout, `salt.*`, and `context.outOfRange`.
 */
export function circuitInput(parameters: {
  manifest: Pick<Manifest, "input" | "outputs" | "inputMode">;
  input: readonly bigint[];
  outputs: readonly (readonly bigint[])[];
  /** the settlement message's digest, shifted right by 8 bits */
  context: bigint;
  /** of the input, where the model takes one */
  salt?: bigint | undefined;
}): { signals: Record<string, string[] | string>; words: bigint[] } {
  const { manifest, input, outputs, context, salt } = parameters;
  const { layout } = manifest.input;
  if (context < 0n || context >= 1n << BigInt(WORD_BITS)) {
    throw new BaseError({
      code: "context.outOfRange",
      message: `context must be in [0, 2^${WORD_BITS}), got ${context}`,
    });
  }
  requireInRange({ tensor: manifest.input, input });
  const { inputWords, shownWords } = showInput(parameters);
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
      ...(modeOf(manifest) === "packed" ? {} : { commitment: shownWords.map(String) }),
      ...(salt === undefined ? {} : { salt: String(salt) }),
    },
    words: [...shownWords, ...outputWords],
  };
}

/**
 * The words of an input, and those that a proof shows of it: the same, or one commitment to them. Throws `words.*`, `commitment.*`, and
 * `salt.*` for a salt that is missing, not asked for or none.
 */
export function showInput(parameters: {
  manifest: Pick<Manifest, "input" | "inputMode">;
  /** integers of the tensor */
  input: readonly bigint[];
  salt?: bigint | undefined;
}): { inputWords: bigint[]; shownWords: bigint[] } {
  const { input, manifest, salt } = parameters;
  const mode = modeOf(manifest);
  const inputWords = packWords({ layouts: [manifest.input.layout], integers: input });
  if (mode !== "packed") {
    return { inputWords, shownWords: [commitInput({ mode, words: inputWords, salt })] };
  }
  if (salt === undefined) return { inputWords, shownWords: inputWords };
  throw new BaseError({ code: "salt.unexpected", message: "salt: the model takes none" });
}

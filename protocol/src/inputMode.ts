import { type TensorLayout, wordCount } from "./packedWords.ts";

/**
 * What a proof shows of an input. `packed`: its words. `committed`: one number, a hash of its words. `salted`: the same of a salt and
 * its words, which nobody can find by trying inputs.
 */
export const INPUT_MODES = ["packed", "committed", "salted"] as const;
export type InputMode = (typeof INPUT_MODES)[number];

/** A mode in which a proof hides the words. */
export type CommittedMode = Exclude<InputMode, "packed">;

/** The mode of a model that names none, as those of before do. */
export const modeOf = ({ inputMode }: { inputMode?: InputMode | undefined }): InputMode =>
  inputMode ?? "packed";

/** Words that a proof shows of an input: one commitment, or all. */
export const shownInputWords = (parameters: {
  inputMode?: InputMode | undefined;
  layout: TensorLayout;
}): number => (modeOf(parameters) === "packed" ? wordCount([parameters.layout]) : 1);

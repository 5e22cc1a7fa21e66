import { dequantise, quantiseInput } from "@haca/model-runtime/quantise";
import { BaseError } from "@haca/protocol/baseError";
import { packWords, type TensorLayout, unpackWords } from "@haca/protocol/packedWords";
import { wordOf } from "../../bytes.ts";
import { chainError } from "../../chain/jsonRpc.ts";
import type { RegisteredModel } from "../../chain/registeredModel.ts";
import { optionError } from "../optionError.ts";

/** Numbers, or lists of them in the input's shape. */
export type InferInput = readonly (number | InferInput)[];

/** Deeper than any tensor. */
const MAXIMUM_DEPTH = 32;

/**
 * The input in row-major order, and its packed words, by the layout in the registry: the nearest multiples of the input's scale.
 * The registry has no shape and no range; of these the node knows, and refuses what does not fit.
 * @throws BaseError `option.wrong`, `input.*`, `model.inputCommitted`
 */
export function packInput(
  { inputLayout, inputMode }: Pick<RegisteredModel, "inputLayout" | "inputMode">,
  input: InferInput,
): { values: readonly number[]; words: readonly string[] } {
  if (inputMode === "committed") {
    throw new BaseError({
      code: "model.inputCommitted",
      message: "the model's input words are a commitment, and this client makes none",
    });
  }
  const [layout, another] = inputLayout;
  if (layout === undefined || another !== undefined) {
    throw chainError("badAnswer", "the model has several inputs, for which nodes have no request");
  }
  const values = [...numbersIn(input, "input")];
  const [minimum, maximum] = rangeOf(layout);
  const tensor = { name: "input", layout, minimum, maximum };
  const manifest = { input: { ...tensor, shape: [layout.count] } };
  const integers = quantiseInput({ manifest, values });
  return { values, words: packWords({ layouts: [layout], integers }).map(wordOf) };
}

function* numbersIn(value: unknown, path: string, depth = 0): Generator<number> {
  if (typeof value === "number") yield value;
  else if (Array.isArray(value) && depth < MAXIMUM_DEPTH) {
    for (const [index, element] of value.entries()) {
      yield* numbersIn(element, `${path}[${index}]`, depth + 1);
    }
  } else throw optionError(path, "must be a number, or a list of numbers");
}

function rangeOf({ bits, isSigned }: TensorLayout): [number, number] {
  if (!isSigned) return [0, 2 ** bits - 1];
  const half = 2 ** (bits - 1);
  return [-half, half - 1];
}

/** The output's tensors in their order, as numbers. @throws BaseError `words.*` */
export function decodeOutput(
  { outputLayout }: Pick<RegisteredModel, "outputLayout">,
  words: readonly string[],
): readonly (readonly number[])[] {
  const tensors = unpackWords({ layouts: outputLayout, words: words.map(BigInt) });
  return outputLayout.map((layout, index) =>
    dequantise({ layout, integers: tensors[index] ?? [] }),
  );
}

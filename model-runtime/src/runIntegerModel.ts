import { BaseError } from "@haca/protocol/baseError";
import { elementCount, gather, type IntegerModel, inputsOf, kindOf } from "./integerModel.ts";
import { requireInRange } from "./quantise.ts";

/**
 * The integer reference: computes exactly what the circuit computes.
 *
 * `input` holds the integers of the input tensor (`quantiseInput`). Returns one array per output, in the order of
 * the manifest. Throws `input.wrongLength` and `input.outOfRange`.
 */
export function runIntegerModel(parameters: {
  integerModel: IntegerModel;
  input: readonly bigint[];
}): bigint[][] {
  const { integerModel } = parameters;
  const values = computeIntegerValues(parameters);
  return integerModel.outputs.map(({ value }) => (values.get(value) ?? []).map(BigInt));
}

/** Every value of the model by name. Numbers are exact: `computeBounds` keeps all sums far below 2^53. */
export function computeIntegerValues(parameters: {
  integerModel: IntegerModel;
  input: readonly bigint[];
}): Map<string, number[]> {
  const { integerModel, input } = parameters;
  const { name, shape } = integerModel.input;
  const expected = elementCount(shape);
  if (input.length !== expected) {
    throw new BaseError({
      code: "input.wrongLength",
      message: `${name} has ${expected} elements, got ${input.length}`,
    });
  }
  requireInRange({ tensor: integerModel.input, input });
  const values = new Map([[name, input.map(Number)]]);
  for (const node of integerModel.nodes) {
    const elements = gather(inputsOf(node), values);
    values.set(node.output, kindOf(node).compute(node, elements));
  }
  return values;
}

import { BaseError } from "@haca/protocol/baseError";
import type { IntegerModel, IntegerNode } from "./integerModel.ts";
import { elementCount } from "./integerModel.ts";

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

/** Every value of the model by name. Numbers are exact: `computeBounds` keeps all sums below 2^53. */
export function computeIntegerValues(parameters: {
  integerModel: IntegerModel;
  input: readonly bigint[];
}): Map<string, number[]> {
  const { integerModel, input } = parameters;
  const { name, shape, minimum, maximum } = integerModel.input;
  const expected = elementCount(shape);
  if (input.length !== expected) {
    throw new BaseError({
      code: "input.wrongLength",
      message: `${name} has ${expected} elements, got ${input.length}`,
    });
  }
  const outside = input.findIndex((x) => x < BigInt(minimum) || x > BigInt(maximum));
  if (outside !== -1) {
    throw new BaseError({
      code: "input.outOfRange",
      message: `element ${outside} of ${name} is ${input[outside]}, must be ${minimum} to ${maximum}`,
      details: { index: outside },
    });
  }
  const values = new Map([[name, input.map(Number)]]);
  for (const node of integerModel.nodes) {
    values.set(node.output, evaluate(node, values.get(node.input) ?? []));
  }
  return values;
}

function evaluate(node: IntegerNode, x: readonly number[]): number[] {
  switch (node.kind) {
    case "affine":
      return node.rows.map(({ indices, weights, bias }) => {
        let sum = bias;
        for (let i = 0; i < indices.length; i++) {
          sum += (weights[i] as number) * (x[indices[i] as number] as number);
        }
        return sum;
      });
    case "relu":
      return x.map((value) => Math.max(0, divide(value, node.shift)));
    case "rescale":
      return x.map((value) => divide(value, node.shift));
    case "argMax":
      return [x.indexOf(Math.max(...x))];
  }
}

/** floor((value + half) / 2^shift); the division by a power of two is exact in a double. */
function divide(value: number, shift: number): number {
  return shift === 0 ? value : Math.floor((value + 2 ** (shift - 1)) / 2 ** shift);
}

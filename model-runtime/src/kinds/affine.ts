import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import { type IntegerKind, integer, scaleExponent } from "./integerKind.ts";
import { greater, type Range } from "./ranges.ts";

/**
 * Integer inference adds and multiplies JavaScript numbers, which are exact up to 2^53. A row of the circuit holds a sum
 * beside its digits and those of what it reads, and must be as exact: hence the distance.
 */
const LIMIT_BITS = 48n;

const rowSchema = z.strictObject({
  indices: z.array(integer.min(0)),
  weights: z.array(integer),
  bias: integer,
});
export type IntegerRow = z.infer<typeof rowSchema>;

/** output[row] = bias + sum of weights * input[indices] */
const schema = z.strictObject({
  kind: z.literal("affine"),
  input: z.string(),
  output: z.string(),
  inputCount: integer.min(1),
  scaleExponent,
  rows: z.array(rowSchema).min(1),
});
export type IntegerAffine = z.infer<typeof schema>;

export const affine = {
  schema,
  compute: (node, input) =>
    node.rows.map(({ indices, weights, bias }) => {
      let sum = bias;
      for (let i = 0; i < indices.length; i++) {
        sum += (weights[i] as number) * (input[indices[i] as number] as number);
      }
      return sum;
    }),
  bounds: (node, input) => node.rows.map((row) => boundsOfRow({ row, input, output: node.output })),
} satisfies IntegerKind<IntegerAffine>;

/**
 * Exact interval arithmetic. A sum that could leave the exact integers is refused; the circuit's certificate looks at the
 * rows that hold it again.
 */
function boundsOfRow(parameters: {
  row: IntegerRow;
  input: readonly Range[];
  output: string;
}): Range {
  const { row, input, output } = parameters;
  let minimum = BigInt(row.bias);
  let maximum = minimum;
  let magnitude = minimum < 0n ? -minimum : minimum;
  for (const [position, index] of row.indices.entries()) {
    const weight = BigInt(row.weights[position] as number);
    const range = input[index] as Range;
    const low = weight * (weight < 0n ? range.maximum : range.minimum);
    const high = weight * (weight < 0n ? range.minimum : range.maximum);
    minimum += low;
    maximum += high;
    magnitude += greater(low < 0n ? -low : low, high < 0n ? -high : high);
  }
  if (magnitude > 1n << LIMIT_BITS) {
    throw new BaseError({
      code: "quantise.rangeTooWide",
      message: `${output}: a sum can reach ${magnitude}, more than 2^${LIMIT_BITS}; use fewer weight or activation bits`,
      details: { value: output },
    });
  }
  return { minimum, maximum };
}

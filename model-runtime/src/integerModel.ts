import { z } from "zod";

/** Everything in the integer model is exact in a JavaScript number: `quantiseModel` proves it. */
const integer = z.int();
const exponent = z.int().min(-128).max(127);

const rowSchema = z.strictObject({
  indices: z.array(integer.min(0)),
  weights: z.array(integer),
  bias: integer,
});

const nodeSchema = z.discriminatedUnion("kind", [
  /** output[row] = bias + sum of weights * input[indices] */
  z.strictObject({
    kind: z.literal("affine"),
    input: z.string(),
    output: z.string(),
    inputCount: integer.min(1),
    scaleExponent: exponent,
    rows: z.array(rowSchema).min(1),
  }),
  /** output = max(0, floor((input + half) / 2^shift)), half = 2^(shift - 1) or 0 */
  z.strictObject({
    kind: z.literal("relu"),
    input: z.string(),
    output: z.string(),
    scaleExponent: exponent,
    shift: integer.min(0),
  }),
  /** output = floor((input + half) / 2^shift) */
  z.strictObject({
    kind: z.literal("rescale"),
    input: z.string(),
    output: z.string(),
    scaleExponent: exponent,
    shift: integer.min(1),
  }),
  /** output = index of the greatest input, of the first where several are equal */
  z.strictObject({ kind: z.literal("argMax"), input: z.string(), output: z.string() }),
]);

/**
 * The quantised model: all that integer inference and the circuit need. A value stands for
 * `integer * 2^scaleExponent`.
 */
export const integerModelSchema = z.strictObject({
  format: z.literal(1),
  input: z.strictObject({
    name: z.string(),
    shape: z.array(integer.min(1)),
    minimum: integer,
    maximum: integer,
    scaleExponent: exponent,
  }),
  nodes: z.array(nodeSchema),
  outputs: z.array(
    z.strictObject({
      name: z.string(),
      shape: z.array(integer.min(1)),
      /** the value it shows */
      value: z.string(),
      scaleExponent: exponent,
    }),
  ),
});
export type IntegerModel = z.infer<typeof integerModelSchema>;
export type IntegerNode = IntegerModel["nodes"][number];
export type IntegerRow = z.infer<typeof rowSchema>;

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

import { z } from "zod";
import { type IntegerKind, integer, scaleExponent } from "./integerKind.ts";
import { greater, type Range } from "./ranges.ts";

const fields = { input: z.string(), output: z.string(), scaleExponent };

/** output = floor((input + half) / 2^shift), half = 2^(shift - 1) */
const rescaleSchema = z.strictObject({
  kind: z.literal("rescale"),
  ...fields,
  shift: integer.min(1),
});
export type IntegerRescale = z.infer<typeof rescaleSchema>;

/** output = max(0, floor((input + half) / 2^shift)), half = 2^(shift - 1), or 0 where nothing is divided */
const reluSchema = z.strictObject({
  kind: z.literal("relu"),
  ...fields,
  shift: integer.min(0),
});
export type IntegerRelu = z.infer<typeof reluSchema>;

export const rescale = {
  schema: rescaleSchema,
  compute: ({ shift }, input) => input.map((value) => divide(value, shift)),
  bounds: ({ shift }, input) => input.map((range) => divideRange(range, shift)),
} satisfies IntegerKind<IntegerRescale>;

export const relu = {
  schema: reluSchema,
  compute: ({ shift }, input) => input.map((value) => Math.max(0, divide(value, shift))),
  bounds: ({ shift }, input) =>
    input.map((range) => {
      const { minimum, maximum } = divideRange(range, shift);
      return { minimum: greater(minimum, 0n), maximum: greater(maximum, 0n) };
    }),
} satisfies IntegerKind<IntegerRelu>;

/** floor((value + half) / 2^shift); the division by a power of two is exact in a double. */
export function divide(value: number, shift: number): number {
  return shift === 0 ? value : Math.floor((value + 2 ** (shift - 1)) / 2 ** shift);
}

/** `divide` is monotonic, so that it maps ends of ranges to ends of ranges. */
function divideRange(range: Range, shift: number): Range {
  const half = halfOf(shift);
  const by = BigInt(shift);
  return { minimum: (range.minimum + half) >> by, maximum: (range.maximum + half) >> by };
}

/** What is added before a division by 2^shift so that it rounds to the nearest integer, halves up. */
export function halfOf(shift: number): bigint {
  return shift === 0 ? 0n : 1n << BigInt(shift - 1);
}

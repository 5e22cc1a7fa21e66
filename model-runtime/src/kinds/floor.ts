import { z } from "zod";
import { type IntegerKind, integer, scaleExponent } from "./integerKind.ts";

/** output = floor((input + offset) / 2^shift): the digits from `shift` up of a number that `offset` makes positive */
const schema = z.strictObject({
  kind: z.literal("floor"),
  input: z.string(),
  output: z.string(),
  scaleExponent,
  offset: integer,
  shift: integer.min(1),
});
export type IntegerFloor = z.infer<typeof schema>;

export const floor = {
  schema,
  compute: ({ offset, shift }, input) =>
    input.map((value) => Math.floor((value + offset) / 2 ** shift)),
  // monotonic, so that it maps ends of ranges to ends of ranges
  bounds: ({ offset, shift }, input) =>
    input.map(({ minimum, maximum }) => ({
      minimum: (minimum + BigInt(offset)) >> BigInt(shift),
      maximum: (maximum + BigInt(offset)) >> BigInt(shift),
    })),
} satisfies IntegerKind<IntegerFloor>;

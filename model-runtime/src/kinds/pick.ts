import { z } from "zod";
import { type IntegerKind, integer } from "./integerKind.ts";
import { type Range, unionRange } from "./ranges.ts";

/** output[pair] = values[second] where signs[pair] is not negative, else values[first]; inputs are signs and values */
const schema = z.strictObject({
  kind: z.literal("pick"),
  inputs: z.tuple([z.string(), z.string()]),
  output: z.string(),
  pairs: z.array(z.tuple([integer.min(0), integer.min(0)])).min(1),
});
export type IntegerPick = z.infer<typeof schema>;

export const pick = {
  schema,
  compute: ({ pairs }, input) =>
    pairs.map(([first, second], index) => {
      const at = (input[index] as number) >= 0 ? second : first;
      return input[pairs.length + at] as number;
    }),
  // whatever the signs are of: where they may have either, either element may be picked
  bounds: ({ pairs }, input) =>
    pairs.map(([first, second], index) => {
      const sign = input[index] as Range;
      const [one, other] = [first, second].map((at) => input[pairs.length + at] as Range);
      if (sign.minimum >= 0n) return other as Range;
      if (sign.maximum < 0n) return one as Range;
      return unionRange([one as Range, other as Range]);
    }),
} satisfies IntegerKind<IntegerPick>;

import { z } from "zod";
import type { IntegerKind } from "./integerKind.ts";

/** output = index of the greatest input, of the first where several are equal */
const schema = z.strictObject({
  kind: z.literal("argMax"),
  input: z.string(),
  output: z.string(),
});
export type IntegerArgMax = z.infer<typeof schema>;

export const argMax = {
  schema,
  compute: (_node, input) => [input.indexOf(Math.max(...input))],
  bounds: (_node, input) => [{ minimum: 0n, maximum: BigInt(input.length - 1) }],
} satisfies IntegerKind<IntegerArgMax>;

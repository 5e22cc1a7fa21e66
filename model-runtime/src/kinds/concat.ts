import { z } from "zod";
import type { IntegerKind } from "./integerKind.ts";

/** output = the elements of all inputs, one value after the other, as they are: wires, and nothing to constrain */
const schema = z.strictObject({
  kind: z.literal("concat"),
  inputs: z.array(z.string()).min(1),
  output: z.string(),
});
export type IntegerConcat = z.infer<typeof schema>;

export const concat = {
  schema,
  compute: (_node, input) => [...input],
  bounds: (_node, input) => [...input],
} satisfies IntegerKind<IntegerConcat>;

import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import { type IntegerKind, integer } from "./integerKind.ts";

const thresholdSchema = z.strictObject({ index: integer.min(0), least: integer });
export type IntegerThreshold = z.infer<typeof thresholdSchema>;

/**
 * output[leaf] = 1 where all conditions of its path hold, else 0. A condition t > 0 says that threshold t - 1 is passed,
 * input[index] >= least; -t says that it is not.
 */
const schema = z.strictObject({
  kind: z.literal("leaves"),
  input: z.string(),
  output: z.string(),
  thresholds: z.array(thresholdSchema),
  paths: z.array(z.array(integer)).min(1),
});
export type IntegerLeaves = z.infer<typeof schema>;

export const leaves = {
  schema,
  compute: ({ thresholds, paths }, input) => {
    const passed = thresholds.map(({ index, least }) => (input[index] as number) >= least);
    const holds = (condition: number) => passed[Math.abs(condition) - 1] === condition > 0;
    return paths.map((path) => (path.every(holds) ? 1 : 0));
  },
  bounds: (node, input) => {
    const { thresholds, paths, output } = node;
    const isKnown = (condition: number) =>
      condition !== 0 && Math.abs(condition) <= thresholds.length;
    if (thresholds.some(({ index }) => index >= input.length) || !paths.flat().every(isKnown)) {
      throw new BaseError({
        code: "model.invalid",
        message: `${output}: a path or a threshold names what is not there`,
        details: { value: output },
      });
    }
    return paths.map((path) => ({ minimum: path.length === 0 ? 1n : 0n, maximum: 1n }));
  },
} satisfies IntegerKind<IntegerLeaves>;

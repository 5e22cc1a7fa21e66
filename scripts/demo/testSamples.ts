import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { readSamples } from "@haca/zkml/quantise/readSamples";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";

/** One sample of a model's held-out test split. */
export type TestSample = {
  index: number;
  values: number[];
  /** the class that is right, or the number that came */
  expected: number;
  isClass: boolean;
};

/** `count` samples spread evenly over a model's test split: the same ones in every run. */
export function testSamples(parameters: { model: string; count: number }): TestSample[] {
  const { model, count } = parameters;
  const file = join(PROJECT_ROOT, "models", model, "test.json");
  const { inputs, labels, targets } = readSamples(file);
  const expected = labels ?? targets;
  if (expected === undefined || inputs.length < count) {
    const what = labels === undefined ? "targets" : "labels";
    throw new BaseError({
      code: "demo.tooFewSamples",
      message: `${file} has ${inputs.length} samples and ${expected?.length ?? 0} ${what}, ${count} are needed`,
    });
  }
  const stride = Math.floor(inputs.length / count);
  return Array.from({ length: count }, (_, position) => {
    const index = position * stride;
    return {
      ...{ index, values: inputs[index] as number[], expected: expected[index] as number },
      isClass: labels !== undefined,
    };
  });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";

/** One labelled sample of a model's held-out test split. */
export type TestImage = { index: number; values: number[]; label: number };

/** `count` samples spread evenly over a model's test split: the same ones in every run. */
export function testImages(parameters: { model: string; count: number }): TestImage[] {
  const { model, count } = parameters;
  const file = join(PROJECT_ROOT, "models", model, "test.json");
  const { images, labels }: { images: number[][]; labels: number[] } = JSON.parse(
    readFileSync(file, "utf8"),
  );
  if (images.length !== labels.length || images.length < count) {
    throw new BaseError({
      code: "demo.tooFewSamples",
      message: `${file} has ${images.length} images and ${labels.length} labels, ${count} are needed`,
    });
  }
  const stride = Math.floor(images.length / count);
  return Array.from({ length: count }, (_, position) => {
    const index = position * stride;
    return { index, values: images[index] as number[], label: labels[index] as number };
  });
}

import { readFileSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";

const rows = z.array(z.array(z.number())).min(1);
const samplesSchema = z.union([
  rows.transform((inputs) => ({ inputs, labels: undefined })),
  z
    .object({
      inputs: rows.optional(),
      images: rows.optional(),
      labels: z.array(z.int()).optional(),
    })
    .transform(({ inputs, images, labels }) => ({ inputs: inputs ?? images ?? [], labels })),
]);

/** Inputs of a model, each a flat list of numbers, and the class of each where it is known. */
export type Samples = { inputs: number[][]; labels?: number[] };

/**
 * Reads a calibration or test set: a JSON list of inputs, or an object with `inputs` (or `images`) and `labels`.
 * Throws `samples.unreadable` and `samples.invalid`, naming the file.
 */
export function readSamples(path: string): Samples {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BaseError({ code: "samples.unreadable", message: `${path}: ${reason}`, cause });
  }
  const parsed = samplesSchema.safeParse(json);
  const fail = (why: string) =>
    new BaseError({ code: "samples.invalid", message: `${path}: ${why}` });
  if (!parsed.success || parsed.data.inputs.length === 0) {
    throw fail(
      "must be a list of inputs, or an object with `inputs` or `images`: lists of numbers",
    );
  }
  const { inputs, labels } = parsed.data;
  if (labels !== undefined && labels.length !== inputs.length) {
    throw fail(`${inputs.length} inputs but ${labels.length} labels`);
  }
  return labels === undefined ? { inputs } : { inputs, labels };
}

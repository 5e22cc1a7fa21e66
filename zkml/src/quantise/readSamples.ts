import { readFileSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";

const EXPECTED =
  "expected a list of samples, or an object with `inputs`, `images` or `input_data`: every sample a list of numbers, or nested lists in the shape of the input";

const samplesSchema = z.union([
  z.array(z.unknown()).transform((inputs) => ({ inputs, labels: undefined, targets: undefined })),
  z
    .object({
      inputs: z.array(z.unknown()).optional(),
      images: z.array(z.unknown()).optional(),
      input_data: z.array(z.unknown()).optional(),
      labels: z.array(z.int()).optional(),
      targets: z.array(z.number()).optional(),
    })
    .transform(({ inputs, images, input_data, labels, targets }) => ({
      inputs: inputs ?? images ?? input_data ?? [],
      labels,
      targets,
    })),
]);

/** Inputs of a model, each a flat list of numbers, and the class or the number that is right for each. */
export type Samples = {
  inputs: number[][];
  labels?: number[];
  targets?: number[];
  /** the file they come from, for messages */
  file?: string;
};

/**
 * Reads a calibration or test set: a JSON list of inputs, or an object with `inputs` (or `images`, `input_data`) and
 * `labels` or `targets`. An input is a list of numbers, or nested lists, which are read row by row.
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
  if (!parsed.success || parsed.data.inputs.length === 0) throw fail(EXPECTED);
  const { labels, targets } = parsed.data;
  const inputs = parsed.data.inputs.map((sample, index) => {
    if (!Array.isArray(sample)) throw fail(`sample ${index} is no list: ${EXPECTED}`);
    const flat = sample.flat(Number.POSITIVE_INFINITY);
    const bad = flat.findIndex((value) => typeof value !== "number");
    if (bad !== -1) throw fail(`sample ${index}, element ${bad} is no number: ${EXPECTED}`);
    return flat as number[];
  });
  for (const [name, list] of Object.entries({ labels, targets })) {
    if (list !== undefined && list.length !== inputs.length) {
      throw fail(`${inputs.length} inputs but ${list.length} ${name}`);
    }
  }
  return {
    inputs,
    file: path,
    ...(labels === undefined ? {} : { labels }),
    ...(targets === undefined ? {} : { targets }),
  };
}

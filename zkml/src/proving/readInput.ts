import { readFile } from "node:fs/promises";
import { flattenInput } from "@haca/model-runtime/flattenInput";
import { BaseError } from "@haca/protocol/baseError";
import type { Manifest } from "@haca/protocol/manifest";
import { z } from "zod";
import { readSamples } from "../quantise/readSamples.ts";

const STANDARD_INPUT = "standard input";

/** A list, or the body of a request to a worker. */
const inputSchema = z.union(
  [
    z.array(z.unknown()).transform((input) => ({ input, model: undefined })),
    z.strictObject({
      input: z.array(z.unknown()),
      model: z.string().optional(),
      version: z.string().optional(),
      requester: z.string().optional(),
    }),
  ],
  "expected a list of numbers, nested lists in the shape of the input, or an object with `input`, as a worker takes it",
);

/**
 * The elements of an input in row-major order, from a file, or from standard input where no file or `-` is given. With
 * `sample`, the file is a set of samples as `compile` takes it, of which that one is read.
 *
 * Throws `input.unreadable`, `input.malformed`, `input.wrongModel` and what `flattenInput` and `readSamples` throw.
 */
export async function readInput(parameters: {
  /** path of a file; absent: standard input */
  path: string | undefined;
  /** index of a sample */
  sample?: number | undefined;
  manifest: Pick<Manifest, "name" | "input">;
}): Promise<number[]> {
  const { path, sample, manifest } = parameters;
  if (sample !== undefined) return readSample({ path, sample });
  const source = path ?? STANDARD_INPUT;
  const text = await readText(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw malformed(`${source}: is not JSON`, cause);
  }
  const parsed = inputSchema.safeParse(json);
  if (!parsed.success) throw malformed(`${source}: ${parsed.error.issues[0]?.message}`);
  const { input, model } = parsed.data;
  if (model !== undefined && model !== manifest.name) {
    throw new BaseError({
      code: "input.wrongModel",
      message: `${source}: model: is for ${JSON.stringify(model)}, the folder holds ${manifest.name}`,
    });
  }
  try {
    return flattenInput({ input, shape: manifest.input.shape });
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    const { code, details, message } = cause;
    throw new BaseError({ code, message: `${source}: ${message}`, details, cause });
  }
}

function readSample(parameters: { path: string | undefined; sample: number }): number[] {
  const { path, sample } = parameters;
  if (path === undefined) throw malformed("--sample: give the file of samples");
  const { inputs } = readSamples(path);
  const values = inputs[sample];
  if (values === undefined) {
    throw malformed(`--sample: ${path} has samples 0 to ${inputs.length - 1}, got ${sample}`);
  }
  return values;
}

async function readText(path: string | undefined): Promise<string> {
  try {
    if (path !== undefined) return await readFile(path, "utf8");
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `${path ?? STANDARD_INPUT}: ${reason}`;
    throw new BaseError({ code: "input.unreadable", message, cause });
  }
}

function malformed(message: string, cause?: unknown): BaseError {
  return new BaseError({ code: "input.malformed", message, cause });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { type CommittedMode, INPUT_MODES, type InputMode } from "@haca/protocol/inputMode";
import { z } from "zod";
import type { InputRange, QuantiseOptions } from "./quantise/options.ts";
import type { Samples } from "./quantise/readSamples.ts";

/** Lies in a compiled model's folder beside the files that its manifest names: what makes it again needs no more. */
export const REQUEST_FILE = "request.json";

const samplesSchema = z.strictObject({
  inputs: z.array(z.array(z.number())),
  labels: z.array(z.int()).optional(),
  targets: z.array(z.number()).optional(),
});

/** What was asked for besides the model itself. */
const buildRequestSchema = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  calibration: samplesSchema,
  test: samplesSchema.optional(),
  /** bits and ranges that were stated; the others were chosen */
  options: z.strictObject({
    weightBits: z.int().optional(),
    activationBits: z.int().optional(),
    inputBits: z.int().optional(),
    outputBits: z.int().optional(),
    input: z
      .strictObject({ minimum: z.int(), maximum: z.int(), scaleExponent: z.int() })
      .optional(),
  }),
  maximumError: z.number(),
  rawScores: z.boolean(),
  /** what proofs show of the input; absent: its words, packed */
  inputMode: z.enum(INPUT_MODES).exclude(["packed"]).optional(),
  /** of powers of tau that were named; absent: the development file of the size needed */
  ptauHash: z.string().optional(),
  /** that was named; absent: derived from the contributed key */
  beacon: z.string().optional(),
});
export type BuildRequest = {
  format: 1;
  name: string;
  calibration: Omit<Samples, "file">;
  test?: Omit<Samples, "file">;
  options: Partial<QuantiseOptions>;
  maximumError: number;
  rawScores: boolean;
  inputMode?: CommittedMode;
  ptauHash?: string;
  beacon?: string;
};

type Optional<T> = { [Key in keyof T]?: T[Key] | undefined };
type AnySamples = Pick<Samples, "inputs"> & Optional<Omit<Samples, "inputs">>;

/** The request in its one form, which is hashed into the build key: samples without the files they came from, nothing undefined. */
export function buildRequest(parameters: {
  name: string;
  calibration: AnySamples;
  test?: AnySamples | undefined;
  options: Optional<QuantiseOptions>;
  maximumError: number;
  rawScores: boolean;
  inputMode?: InputMode | undefined;
  ptauHash?: string | undefined;
  beacon?: string | undefined;
}): BuildRequest {
  const { name, calibration, test, maximumError, rawScores, inputMode } = parameters;
  const { beacon, ptauHash } = parameters;
  const { weightBits, activationBits, inputBits, outputBits, input } = parameters.options;
  return {
    format: 1,
    name,
    calibration: setOf(calibration),
    ...(test === undefined ? {} : { test: setOf(test) }),
    options: {
      ...(weightBits === undefined ? {} : { weightBits }),
      ...(activationBits === undefined ? {} : { activationBits }),
      ...(inputBits === undefined ? {} : { inputBits }),
      ...(outputBits === undefined ? {} : { outputBits }),
      ...(input === undefined ? {} : { input: rangeOf(input) }),
    },
    maximumError,
    rawScores,
    ...(inputMode === undefined || inputMode === "packed" ? {} : { inputMode }),
    ...(ptauHash === undefined ? {} : { ptauHash }),
    ...(beacon === undefined ? {} : { beacon }),
  };
}

function setOf({ inputs, labels, targets }: AnySamples): BuildRequest["calibration"] {
  return {
    inputs,
    ...(labels === undefined ? {} : { labels }),
    ...(targets === undefined ? {} : { targets }),
  };
}

const rangeOf = ({ minimum, maximum, scaleExponent }: InputRange): InputRange => ({
  minimum,
  maximum,
  scaleExponent,
});

/** The request that a compiled model was made of. Throws `request.missing` and `request.invalid`, naming the file. */
export function readBuildRequest(folder: string): BuildRequest {
  const path = join(folder, REQUEST_FILE);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const message = `no file ${path}: the model was compiled before requests were kept, compile it again`;
    throw new BaseError({ code: "request.missing", message, cause });
  }
  try {
    return buildRequest(buildRequestSchema.parse(JSON.parse(text)));
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const reason =
      issue === undefined ? "is not JSON" : `${issue.path.join(".")}: ${issue.message}`;
    throw new BaseError({ code: "request.invalid", message: `${path}: ${reason}`, cause });
  }
}

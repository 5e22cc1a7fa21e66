import { getAddress, isAddress, ZeroAddress } from "ethers";
import { z } from "zod";
import type { InferenceRequest } from "../roles/infer/answerInference.ts";
import { RequestError } from "./requestError.ts";

const requestSchema = z.strictObject({
  model: z.string(),
  version: z
    .string()
    .regex(/^\d{1,10}\.\d{1,10}$/, "must be major.minor, like 1.0")
    .optional(),
  input: z.array(z.unknown(), "must be an array of numbers"),
  requester: z.string().refine(isAddress, "must be an address").optional(),
});

/** Reads the body of `POST /v1/inferences`. @throws RequestError naming the field */
export function parseInferenceRequest(body: string): InferenceRequest {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new RequestError({
      status: 400,
      code: "body.malformed",
      field: "body",
      message: `body: is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
  const parsed = requestSchema.safeParse(json, { reportInput: true });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
    const field = unknown ?? (issue?.path.join(".") || "body");
    const missing = issue?.code === "invalid_type" && issue.input === undefined;
    const reason =
      unknown !== undefined ? "is not a known field" : (issue?.message ?? "is invalid");
    throw new RequestError({
      status: 400,
      code: unknown !== undefined ? "request.unknownField" : "request.invalid",
      field,
      message: `${field}: ${missing ? "is missing" : reason}`,
    });
  }
  const { model, version, input, requester } = parsed.data;
  return {
    model,
    version,
    input,
    requester: requester === undefined ? ZeroAddress : getAddress(requester),
  };
}

import { getAddress, isAddress, ZeroAddress } from "ethers";
import { z } from "zod";
import type { InferenceRequest } from "../roles/infer/answerInference.ts";
import { parseJson, requireShape } from "./parseJson.ts";

const requestSchema = z.strictObject({
  model: z.string(),
  version: z
    .string()
    .regex(/^\d{1,10}\.\d{1,10}$/, "must be major.minor, like 1.0")
    .optional(),
  input: z.array(z.unknown(), "must be an array of numbers"),
  salt: z.string().optional(),
  requester: z.string().refine(isAddress, "must be an address").optional(),
});

/** Reads the body of `POST /v1/inferences`. @throws RequestError naming the field */
export function parseInferenceRequest(body: string): InferenceRequest {
  const { model, version, input, salt, requester } = requireShape(parseJson(body), requestSchema);
  return {
    model,
    version,
    input,
    salt,
    requester: requester === undefined ? ZeroAddress : getAddress(requester),
  };
}

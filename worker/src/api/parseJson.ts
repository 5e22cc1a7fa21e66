import type { z } from "zod";
import { RequestError } from "./requestError.ts";

/** Reads a body. @throws RequestError where it is no JSON */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new RequestError({
      status: 400,
      code: "body.malformed",
      field: "body",
      message: `body: is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}

/** @throws RequestError naming the field that is not as the schema has it */
export function requireShape<Value>(json: unknown, schema: z.ZodType<Value>): Value {
  const parsed = schema.safeParse(json, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
  const field = path.join(".") || "body";
  const missing = issue?.code === "invalid_type" && issue.input === undefined;
  const reason = unknown !== undefined ? "is not a known field" : (issue?.message ?? "is invalid");
  throw new RequestError({
    status: 400,
    code: unknown !== undefined ? "request.unknownField" : "request.invalid",
    field,
    message: `${field}: ${missing ? "is missing" : reason}`,
  });
}

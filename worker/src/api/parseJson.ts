import type { z } from "zod";
import { firstIssue } from "../firstIssue.ts";
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
  const { field: path, isUnknown, reason } = firstIssue(parsed.error);
  const field = path || "body";
  throw new RequestError({
    status: 400,
    code: isUnknown ? "request.unknownField" : "request.invalid",
    field,
    message: `${field}: ${reason}`,
  });
}

import type { z } from "zod";

/** What is wrong first with JSON that is not as its schema has it, parsed with `reportInput`. */
export function firstIssue(error: z.ZodError): {
  /** empty where it is the whole */
  field: string;
  reason: string;
  /** the schema has no such field */
  isUnknown: boolean;
} {
  const [issue] = error.issues;
  const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const field = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join(".");
  if (unknown !== undefined) return { field, reason: "is not a known field", isUnknown: true };
  const isMissing = issue?.code === "invalid_type" && issue.input === undefined;
  const reason = isMissing ? "is missing" : (issue?.message ?? "is invalid");
  return { field, reason, isUnknown: false };
}

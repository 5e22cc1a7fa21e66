import { isObject, type Json, type JsonObject } from "@haca/protocol/json/json";
import { UpstreamError } from "../gatewayError.ts";

const MAXIMUM_CHOICES = 128;

/** An upstream's answer that is not signed, because it is not what it should be. */
export const malformed = (what: string): UpstreamError =>
  new UpstreamError({
    status: 502,
    code: "upstream.malformed",
    message: `the upstream's answer is not signed: ${what}`,
  });

/** @throws UpstreamError */
export function requireIndex(choice: Json): number {
  const index = isObject(choice) ? choice.get("index") : undefined;
  if (
    typeof index === "number" &&
    Number.isInteger(index) &&
    index >= 0 &&
    index < MAXIMUM_CHOICES
  ) {
    return index;
  }
  throw malformed(`a choice without an index from 0 to ${MAXIMUM_CHOICES - 1}`);
}

/**
 * An answer that is no stream.
 * @throws UpstreamError where it is no answer
 */
export function requireAnswer(answer: Json, parameters: { isChat: boolean }): JsonObject {
  if (!isObject(answer)) throw malformed("it is no object");
  const choices = answer.get("choices");
  if (!Array.isArray(choices) || choices.length === 0) throw malformed("it has no choices");
  const seen = new Set(choices.map(requireIndex));
  if (seen.size !== choices.length) throw malformed("two choices with one index");
  for (const choice of choices as JsonObject[]) {
    if (typeof choice.get("finish_reason") !== "string") {
      throw malformed("a choice without a finish_reason");
    }
    const hasContent = parameters.isChat
      ? isObject(choice.get("message"))
      : typeof choice.get("text") === "string";
    if (!hasContent) throw malformed("a choice without content");
  }
  return answer;
}

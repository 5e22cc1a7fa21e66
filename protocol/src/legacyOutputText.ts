import type { Json, JsonObject, NumberText } from "./json/json.ts";
import { legacyText } from "./json/legacyText.ts";
import { legacyToolCalls } from "./legacyRequest.ts";

/**
 * What of an answer is hashed in the profile `legacy`: the text of the assistant, or its tool calls where these are why it ended.
 * @param message of the answer's one choice
 * @throws LegacyRequestError
 */
export function legacyOutputText(
  message: JsonObject<NumberText>,
  finishReason: Json<NumberText>,
): string {
  if (finishReason === "tool_calls") {
    return legacyText(legacyToolCalls(message.get("tool_calls") ?? null, "message"));
  }
  const content = message.get("content");
  return typeof content === "string" ? content : "";
}

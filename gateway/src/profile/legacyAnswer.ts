import { id } from "ethers";
import type { Json, JsonObject, NumberText } from "../json/json.ts";
import { legacyText } from "../json/legacyText.ts";
import { legacyToolCalls } from "./legacyRequest.ts";

/**
 * Hash of an answer as the public network's clients compute it: over the text of the assistant, or over its tool calls where
 * these are why it ended.
 * @param message of the answer's one choice
 */
export function legacyOutputHash(
  message: JsonObject<NumberText>,
  finishReason: Json<NumberText>,
): string {
  if (finishReason === "tool_calls") {
    return id(legacyText(legacyToolCalls(message.get("tool_calls") ?? null, "message")));
  }
  const content = message.get("content");
  return id(typeof content === "string" ? content : "");
}

import { id } from "ethers";
import type { Json, JsonObject, NumberText } from "../json/json.ts";
import { legacyOutputText } from "./legacyOutputText.ts";

/** Hash of an answer as the public network's clients compute it: of `legacyOutputText`. */
export const legacyOutputHash = (
  message: JsonObject<NumberText>,
  finishReason: Json<NumberText>,
): string => id(legacyOutputText(message, finishReason));

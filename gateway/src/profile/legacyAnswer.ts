import type { Json, JsonObject, NumberText } from "@haca/protocol/json/json";
import { legacyOutputText } from "@haca/protocol/legacyOutputText";
import { id } from "ethers";

/** Hash of an answer as the public network's clients compute it: of `legacyOutputText`. */
export const legacyOutputHash = (
  message: JsonObject<NumberText>,
  finishReason: Json<NumberText>,
): string => id(legacyOutputText(message, finishReason));

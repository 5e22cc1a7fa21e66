import { isObject, type Json, type JsonObject, objectOf } from "@haca/protocol/json/json";
import { legacyMessageHash } from "@haca/protocol/legacySettlement";
import { legacyOutputHash } from "../profile/legacyAnswer.ts";
import { malformed } from "../profile/requireAnswer.ts";
import type { Signing } from "../profile/signAnswer.ts";
import type { LegacyTerms } from "../server/chatRequest.ts";

/** What is signed of an answer: its assistant's text, and its tool calls in the members that are hashed. */
export type LegacyContent = { text: string; calls: JsonObject[]; reason: string };

/** An answer that was signed, as the facilitator takes it and as the answer shows it; hashes as hex with 0x. */
export type LegacySigned = {
  teeId: string;
  inputHash: string;
  outputHash: string;
  timestamp: bigint;
  /** base64 */
  signature: string;
};

/** Content of an answer's one choice. @throws UpstreamError where the profile has no hash for it */
export function contentOf(answer: JsonObject, isChat: boolean): LegacyContent {
  const choices = answer.get("choices");
  const [choice, ...more] = Array.isArray(choices) ? choices : [];
  if (!isObject(choice) || more.length > 0) throw malformed("the profile signs one choice");
  const reason = choice.get("finish_reason");
  if (typeof reason !== "string") throw malformed("a choice without a finish_reason");
  if (!isChat) return { text: textOf(choice.get("text")), calls: [], reason };
  const given = choice.get("message");
  const message: JsonObject = isObject(given) ? given : new Map();
  const calls = message.get("tool_calls") ?? [];
  if (!Array.isArray(calls)) throw malformed("tool calls that are no list");
  return { text: textOf(message.get("content")), calls: calls.map(callOf), reason };
}

/** A text, or a list of parts of text as clients put them together. */
function textOf(content: Json | undefined): string {
  if (typeof content === "string") return content;
  if ((content ?? null) === null) return "";
  if (!Array.isArray(content)) throw malformed("content that is no text");
  return content
    .map((part) => {
      const text = isObject(part) ? part.get("text") : undefined;
      if (typeof text !== "string") throw malformed("content that is no text");
      return text;
    })
    .join("");
}

function callOf(call: Json): JsonObject {
  const called = isObject(call) ? call.get("function") : undefined;
  if (!isObject(call) || !isObject(called)) throw malformed("a tool call without a function");
  const [callId, name, text] = [call.get("id"), called.get("name"), called.get("arguments")];
  if (typeof callId !== "string" || typeof name !== "string" || typeof text !== "string") {
    throw malformed("a tool call whose id, name or arguments are no text");
  }
  const inner = objectOf({ name, arguments: text });
  return objectOf({ id: callId, type: "function", function: inner });
}

/** Signs an answer as the public network's clients verify it. */
export function signLegacy(parameters: {
  signing: Signing;
  inputHash: string;
  content: LegacyContent;
}): LegacySigned {
  const { content, inputHash, signing } = parameters;
  const { calls, reason, text } = content;
  // Of texts alone: there is no number in it whose class could matter.
  const message = objectOf({ content: text, tool_calls: calls }) as JsonObject<never>;
  const outputHash = legacyOutputHash(message, reason);
  const timestamp = signing.clock();
  const digest = legacyMessageHash({ inputHash, outputHash, timestamp });
  const signature = Buffer.from(signing.signer.sign(digest).slice(2), "hex").toString("base64");
  return { teeId: signing.signer.teeId, inputHash, outputHash, timestamp, signature };
}

/** The fields by which clients verify an answer, and the profile's name; with the fields of the result that it is as well, if it is one. */
export const legacyFields = (parameters: {
  signed: LegacySigned;
  settlement: LegacyTerms["settlement"];
  result: JsonObject | undefined;
}): JsonObject => {
  const { result, settlement, signed } = parameters;
  return objectOf({
    tee_signature: signed.signature,
    tee_request_hash: signed.inputHash.slice(2),
    tee_output_hash: signed.outputHash.slice(2),
    tee_timestamp: Number(signed.timestamp),
    tee_id: signed.teeId,
    haca: objectOf({ profile: "legacy", settlement, result }),
  });
};

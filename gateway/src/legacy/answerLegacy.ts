import { type Json, type JsonObject, objectOf } from "@haca/protocol/json/json";
import type { StoredAnswer } from "../answers/answerFile.ts";
import { canonicalJson } from "../json/canonicalJson.ts";
import { requireAnswer } from "../profile/requireAnswer.ts";
import type { GatewayParts } from "../server/gatewayParts.ts";
import {
  contentOf,
  type LegacyContent,
  type LegacySigned,
  legacyFields,
  signLegacy,
} from "./legacyParts.ts";
import type { LegacyRequest } from "./parseLegacyRequest.ts";

/**
 * Answers in one piece, in the profile `legacy`. Returns the answer once it is on the facilitator's disk, where it is to be
 * settled.
 * @throws UpstreamError, RefusedRequestError, or the reason of the signal
 */
export async function answerLegacyPlain(parameters: {
  parts: GatewayParts;
  request: LegacyRequest;
  signal: AbortSignal;
}): Promise<StoredAnswer> {
  const { parts, request, signal } = parameters;
  const { body, legacy, model, path } = request;
  const isChat = path === "chat/completions";
  const given = requireAnswer(await parts.upstream.complete({ path, body, signal }), { isChat });
  const content = contentOf(given, isChat);
  const signed = await signAndHandIn({ parts, request, content });
  parts.metrics.results.inc({ end: "complete" });
  parts.logger.info({ profile: "legacy", settlement: legacy.settlement }, "answered");
  const answer: JsonObject = new Map<string, Json>([
    ...(["id", "object", "created"] as const).map((key) => [key, given.get(key) ?? null] as const),
    ["model", model],
    ["choices", [choiceOf(content, isChat)]],
    ...(isChat ? [] : [["completion", content.text] as const]),
    ...(given.has("usage") ? [["usage", given.get("usage") ?? null] as const] : []),
    ...legacyFields(signed, legacy.settlement),
  ]);
  return { type: "application/json", salt: "", text: canonicalJson(answer) };
}

function choiceOf({ calls, reason, text }: LegacyContent, isChat: boolean): JsonObject {
  const common = { index: 0, finish_reason: reason };
  if (!isChat) return objectOf({ ...common, text });
  const tool_calls = calls.length === 0 ? undefined : calls;
  return objectOf({
    ...common,
    message: objectOf({ role: "assistant", content: text, tool_calls }),
  });
}

/** Signs, and hands in what is to be settled: before the client has it. @throws QueueError */
export async function signAndHandIn(parameters: {
  parts: GatewayParts;
  request: LegacyRequest;
  content: LegacyContent;
}): Promise<LegacySigned> {
  const { content, parts, request } = parameters;
  const signed = signLegacy({ signing: parts.signing, inputHash: request.inputHash, content });
  if (request.legacy.settlement === "batch") await parts.facilitator?.deliver(signed);
  return signed;
}

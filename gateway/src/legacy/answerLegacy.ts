import { type Json, type JsonObject, objectOf } from "@haca/protocol/json/json";
import type { StoredAnswer } from "../answers/answerFile.ts";
import { canonicalJson } from "../json/canonicalJson.ts";
import { requireAnswer } from "../profile/requireAnswer.ts";
import { signAnswer } from "../profile/signAnswer.ts";
import { signatureFields } from "../profile/signatureFields.ts";
import type { GatewayParts } from "../server/gatewayParts.ts";
import { contentOf, type LegacyContent, legacyFields, signLegacy } from "./legacyParts.ts";
import type { LegacyRequest } from "./parseLegacyRequest.ts";

/**
 * Answers in one piece, in the profile `legacy`. Returns the answer once it is on the disks of those who are to settle it.
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
  const answer: JsonObject = new Map<string, Json>([
    ...(["id", "object", "created"] as const).map((key) => [key, given.get(key) ?? null] as const),
    ["model", model],
    ["choices", [choiceOf(content, isChat)]],
    ...(isChat ? [] : [["completion", content.text] as const]),
    ...(given.has("usage") ? [["usage", given.get("usage") ?? null] as const] : []),
  ]);
  const stored = await signAndHandIn({
    ...{ parts, request, content, answer, type: "application/json" },
    write: (fields) => canonicalJson(new Map([...answer, ...fields])),
  });
  parts.metrics.results.inc({ end: "complete" });
  parts.logger.info({ profile: "legacy", settlement: legacy.settlement }, "answered");
  return stored;
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

/**
 * Signs an answer, and hands in what is to be settled: before the client has it. Where answers may be paid it is signed as a
 * result, too, which is what is settled and captured for the money.
 * @throws QueueError; RefusedRequestError where the answer cannot be kept
 */
export async function signAndHandIn(parameters: {
  parts: GatewayParts;
  request: LegacyRequest;
  content: LegacyContent;
  /** as the client has it: what a result's hash is of */
  answer: JsonObject;
  type: string;
  /** all of the answer with the fields by which it is verified */
  write: (fields: JsonObject) => string;
}): Promise<StoredAnswer> {
  const { answer, content, parts, request, type, write } = parameters;
  const { inputHash, legacy, modelVersion, repeat, salt } = request;
  const { answers, facilitator, signing } = parts;
  const signed = signLegacy({ signing, inputHash: legacy.requestHash, content });
  const result = parts.signsBoth
    ? signAnswer({ signing, modelVersion, inputHash, answer })
    : undefined;
  const { domain } = signing;
  const fields = result && signatureFields({ result, salt, domain });
  const text = write(legacyFields({ signed, settlement: legacy.settlement, result: fields }));
  const stored = { type, salt, text };
  if (legacy.settlement === "batch") await facilitator?.deliver(signed);
  // The last step: what is captured is an answer that everything else has taken.
  if (result !== undefined) await answers.handIn({ repeat, answer: stored, result });
  return stored;
}

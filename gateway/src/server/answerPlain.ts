import type { StoredAnswer } from "../answers/answerFile.ts";
import { canonicalJson } from "../json/canonicalJson.ts";
import { requireAnswer } from "../profile/requireAnswer.ts";
import { signAnswer } from "../profile/signAnswer.ts";
import { SIGNATURE_FIELD, signatureFields } from "../profile/signatureFields.ts";
import type { ChatRequest } from "./chatRequest.ts";
import type { GatewayParts } from "./gatewayParts.ts";

const JSON_TYPE = "application/json";

/**
 * Answers in one piece. Returns the answer once its result is on the worker's disk.
 * @throws UpstreamError, RefusedRequestError, or the reason of the signal
 */
export async function answerPlain(parameters: {
  parts: GatewayParts;
  request: ChatRequest;
  signal: AbortSignal;
}): Promise<StoredAnswer> {
  const { parts, request, signal } = parameters;
  const { body, inputHash, modelVersion, path, repeat, salt } = request;
  const given = await parts.upstream.complete({ path, body, signal });
  const answer = requireAnswer(given, { isChat: path === "chat/completions" });
  const { signing } = parts;
  const result = signAnswer({ signing, modelVersion, inputHash, answer });
  const { domain } = signing;
  answer.set(SIGNATURE_FIELD, signatureFields({ result, salt, domain }));
  const stored = { type: JSON_TYPE, salt, text: canonicalJson(answer) };
  await parts.answers.handIn({ repeat, answer: stored, result });
  parts.metrics.results.inc({ end: "complete" });
  parts.logger.info({ requestId: result.message.requestId }, "answered");
  return stored;
}

import { canonicalJson } from "../json/canonicalJson.ts";
import { requireAnswer } from "../profile/requireAnswer.ts";
import { signAnswer } from "../profile/signAnswer.ts";
import { SIGNATURE_FIELD, signatureFields } from "../profile/signatureFields.ts";
import type { ChatRequest } from "./chatRequest.ts";
import type { GatewayParts } from "./gatewayParts.ts";

/**
 * Answers in one piece. Returns the answer's text once its result is on the worker's disk.
 * @throws UpstreamError, QueueError, or the reason of the signal
 */
export async function answerPlain(parameters: {
  parts: GatewayParts;
  request: ChatRequest;
  signal: AbortSignal;
}): Promise<string> {
  const { parts, request, signal } = parameters;
  const { body, inputHash, modelVersion, path, salt } = request;
  const given = await parts.upstream.complete({ path, body, signal });
  const answer = requireAnswer(given, { isChat: path === "chat/completions" });
  const { signing } = parts;
  const result = signAnswer({ signing, modelVersion, inputHash, answer });
  await parts.queue.deliver(result);
  parts.metrics.results.inc({ end: "complete" });
  parts.logger.info({ requestId: result.message.requestId }, "answered");
  const { domain } = signing;
  return canonicalJson(answer.set(SIGNATURE_FIELD, signatureFields({ result, salt, domain })));
}

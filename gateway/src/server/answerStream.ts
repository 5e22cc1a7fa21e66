import type { JsonObject } from "@haca/protocol/json/json";
import type { StoredAnswer } from "../answers/answerFile.ts";
import { type RefusedRequestError, UpstreamError } from "../gatewayError.ts";
import { canonicalJson } from "../json/canonicalJson.ts";
import { signAnswer } from "../profile/signAnswer.ts";
import { SIGNATURE_FIELD, signatureFields } from "../profile/signatureFields.ts";
import { StreamedAnswer } from "../profile/streamedAnswer.ts";
import type { ChatRequest } from "./chatRequest.ts";
import { errorText, refusalFor } from "./errorViews.ts";
import type { GatewayParts } from "./gatewayParts.ts";

export const STREAM_TYPE = "text/event-stream; charset=utf-8";
export const DONE = "data: [DONE]\n\n";
export const DISCONNECTED = "client_disconnected";

export const eventOf = (text: string): string => `data: ${text}\n\n`;

/** How a stream ended. */
export type StreamEnd =
  /** a result of it is on the worker's disk; the text, of a request that can be repeated, is all that was sent */
  { isSigned: true; answer: StoredAnswer } | { isSigned: false; error: RefusedRequestError };

/**
 * Answers frame by frame. To each text that it yields it wants to hear whether the client was sent it. The frame with the
 * signature, the last before `[DONE]`, comes once the result is on the worker's disk. Where that, or the upstream, fails, a
 * frame says so, and nothing is signed.
 * @param parameters.gone aborted when the client has gone: then what it was sent is signed, if anything
 */
export async function* answerStream(parameters: {
  parts: GatewayParts;
  request: ChatRequest;
  frames: AsyncIterable<JsonObject>;
  gone: AbortSignal;
}): AsyncGenerator<string, StreamEnd, boolean> {
  const { frames, gone, parts, request } = parameters;
  const { inputHash, modelVersion, path, repeat, salt } = request;
  const { signing } = parts;
  const answer = new StreamedAnswer({ isChat: path === "chat/completions" });
  let isBegun = false;
  // Kept only for those who may ask again.
  const sent: string[] = [];
  try {
    try {
      for await (const frame of frames) {
        const shown = answer.take(frame);
        if (shown === undefined) continue;
        const event = eventOf(canonicalJson(shown));
        if (yield event) {
          isBegun = true;
          answer.add(shown);
          if (repeat !== undefined) sent.push(event);
        }
        if (gone.aborted) break;
      }
      if (!gone.aborted && !answer.isComplete) throw unfinished();
    } catch (error) {
      // Of a client that has gone, what it got before counts.
      if (!gone.aborted || !isBegun) throw error;
    }
    if (gone.aborted) {
      if (!isBegun) throw gone.reason;
      answer.cut(DISCONNECTED);
    }
    const result = signAnswer({ signing, modelVersion, inputHash, answer: answer.answer() });
    const signature = signatureFields({ result, salt, domain: signing.domain });
    const last = eventOf(canonicalJson(answer.last().set(SIGNATURE_FIELD, signature)));
    const stored = { type: STREAM_TYPE, salt, text: [...sent, last, DONE].join("") };
    await parts.answers.handIn({ repeat, answer: stored, result });
    const end = gone.aborted ? "disconnected" : "complete";
    parts.metrics.results.inc({ end });
    parts.logger.info({ requestId: result.message.requestId, end }, "answered");
    yield last + DONE;
    return { isSigned: true, answer: stored };
  } catch (caught) {
    const error = refusalFor(caught, parts.logger);
    parts.metrics.failures.inc({ code: error.code });
    yield eventOf(errorText(error));
    return { isSigned: false, error };
  }
}

export const unfinished = (): UpstreamError =>
  new UpstreamError({
    status: 502,
    code: "upstream.failedMidway",
    message: "the upstream's stream is not signed: a choice has no finish_reason",
  });

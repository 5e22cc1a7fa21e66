import { isObject, type Json, type JsonObject, objectOf } from "@haca/protocol/json/json";
import type { UpstreamError } from "../gatewayError.ts";
import { canonicalJson } from "../json/canonicalJson.ts";
import { malformed } from "../profile/requireAnswer.ts";
import { StreamedAnswer } from "../profile/streamedAnswer.ts";
import {
  DISCONNECTED,
  DONE,
  eventOf,
  STREAM_TYPE,
  type StreamEnd,
  unfinished,
} from "../server/answerStream.ts";
import { legacyErrorText, refusalFor } from "../server/errorViews.ts";
import type { GatewayParts } from "../server/gatewayParts.ts";
import { signAndHandIn } from "./answerLegacy.ts";
import { contentOf } from "./legacyParts.ts";
import type { LegacyRequest } from "./parseLegacyRequest.ts";

/**
 * Answers frame by frame, in the profile `legacy`: text as it comes, tool calls as whole ones at the end, then one frame with
 * the reason to finish, `usage` and the signature, once the answer is on the facilitator's disk.
 * @param parameters.gone aborted when the client has gone: then what it was sent is signed, if anything
 */
export async function* answerLegacyStream(parameters: {
  parts: GatewayParts;
  request: LegacyRequest;
  frames: AsyncIterable<JsonObject>;
  gone: AbortSignal;
}): AsyncGenerator<string, StreamEnd, boolean> {
  const { frames, gone, parts, request } = parameters;
  const { legacy, model, path } = request;
  const isChat = path === "chat/completions";
  const answer = new StreamedAnswer({ isChat });
  /** what this profile's frames make */
  const shown = new StreamedAnswer({ isChat });
  /** what the client was sent */
  let sent = "";
  /** kept only for those who may ask again */
  const events: string[] = [];
  const note = (frame: JsonObject) => {
    const piece = shown.take(frame);
    if (piece !== undefined) shown.add(piece);
    if (request.repeat !== undefined) events.push(eventOf(canonicalJson(frame)));
  };
  try {
    try {
      for await (const frame of frames) {
        const piece = answer.take(frame);
        if (piece === undefined) continue;
        const text = textOf(piece, isChat);
        // What waits for the end, tool calls for instance, is no part of what was sent before it.
        const given = text === "" ? undefined : frameOf({ text, isChat, model });
        if (given === undefined || (yield eventOf(canonicalJson(given)))) {
          sent += text;
          answer.add(piece);
          if (given !== undefined) note(given);
        }
        if (gone.aborted) break;
      }
      if (!gone.aborted && !answer.isComplete) throw unfinished();
    } catch (error) {
      if (!gone.aborted || sent === "") throw error;
    }
    if (gone.aborted && sent === "") throw gone.reason;
    if (gone.aborted) answer.cut(DISCONNECTED);
    const whole = answer.answer();
    const content = gone.aborted
      ? { text: sent, calls: [], reason: DISCONNECTED }
      : contentOf(whole, isChat);
    const { calls, reason } = content;
    if (calls.length > 0) {
      const tool_calls = calls.map(
        (call, index) => new Map<string, Json>([["index", index], ...call]),
      );
      const delta = objectOf({ role: "assistant", tool_calls });
      const frame = frameWith({ model, choice: { delta, finish_reason: null } });
      yield eventOf(canonicalJson(frame));
      note(frame);
    }
    const empty = isChat ? { delta: new Map<string, Json>() } : { text: "" };
    const last = frameWith({ model, choice: { ...empty, finish_reason: reason } });
    const usage = whole.get("usage") ?? null;
    if (usage !== null) last.set("usage", usage);
    shown.take(last);
    let lastEvent = "";
    const stored = await signAndHandIn({
      ...{ parts, request, content, answer: shown.answer(), type: STREAM_TYPE },
      write: (fields) => {
        lastEvent = eventOf(canonicalJson(new Map([...last, ...fields])));
        return [...events, lastEvent, DONE].join("");
      },
    });
    const end = gone.aborted ? "disconnected" : "complete";
    parts.metrics.results.inc({ end });
    parts.logger.info({ profile: "legacy", settlement: legacy.settlement, end }, "answered");
    yield lastEvent + DONE;
    return { isSigned: true, answer: stored };
  } catch (caught) {
    const error = refusalFor(caught, parts.logger);
    parts.metrics.failures.inc({ code: error.code });
    yield eventOf(legacyErrorText(error));
    return { isSigned: false, error };
  }
}

/** The text that a frame adds. @throws UpstreamError for a second choice */
function textOf(piece: JsonObject, isChat: boolean): string {
  const choices = piece.get("choices");
  return (Array.isArray(choices) ? choices : [])
    .map((choice) => {
      if (!isObject(choice) || choice.get("index") !== 0) throw oneChoice();
      const delta = choice.get("delta");
      const from = isChat
        ? isObject(delta)
          ? delta.get("content")
          : undefined
        : choice.get("text");
      if ((from ?? null) !== null && typeof from !== "string")
        throw malformed("content that is no text");
      return from ?? "";
    })
    .join("");
}

const frameOf = ({ isChat, model, text }: { isChat: boolean; model: string; text: string }) =>
  frameWith({
    model,
    choice: {
      ...(isChat ? { delta: objectOf({ role: "assistant", content: text }) } : { text }),
      finish_reason: null,
    },
  });

const frameWith = ({
  choice,
  model,
}: {
  choice: Record<string, Json>;
  model: string;
}): JsonObject => objectOf({ choices: [objectOf({ index: 0, ...choice })], model });

const oneChoice = (): UpstreamError => malformed("the profile signs one choice");

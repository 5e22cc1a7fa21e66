import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import type { StoredAnswer } from "../answers/answerFile.ts";
import type { Making } from "../answers/answerStore.ts";
import { ClientGoneError, RefusedRequestError, UpstreamError } from "../gatewayError.ts";
import { answerLegacyPlain } from "../legacy/answerLegacy.ts";
import { isLegacy } from "../legacy/parseLegacyRequest.ts";
import { answerLegacyStream } from "../legacy/streamLegacy.ts";
import { answerPlain } from "./answerPlain.ts";
import { answerStream, STREAM_TYPE } from "./answerStream.ts";
import type { ChatRequest } from "./chatRequest.ts";
import { refusalFor } from "./errorViews.ts";
import type { GatewayParts } from "./gatewayParts.ts";
import { sendStream } from "./sendStream.ts";

export type GatewayContext = Context<{
  Bindings: { incoming: IncomingMessage; outgoing: ServerResponse };
}>;

export type AnswerParameters = { parts: GatewayParts; request: ChatRequest; c: GatewayContext };

/**
 * Answers a request, or shows the answer that the same request under the same `idempotency-key` has had.
 * @throws RefusedRequestError, ClientGoneError
 */
export async function answerRequest(parameters: AnswerParameters): Promise<Response> {
  const { c, parts, request } = parameters;
  const { repeat } = request;
  const entered = repeat && parts.answers.enter(repeat);
  if (entered === undefined) return await answerFresh({ c, parts, request, making: undefined });
  if ("before" in entered) return replay(await entered.before);
  const { making } = entered;
  try {
    return await answerFresh({ c, parts, request, making });
  } catch (error) {
    making.reject(
      error instanceof ClientGoneError ? refusalFor(error, parts.logger) : (error as Error),
    );
    throw error;
  }
}

function replay(answer: StoredAnswer): Response {
  return new Response(answer.text, {
    headers: { ...headersOf(answer), "idempotent-replayed": "true" },
  });
}

const headersOf = ({ salt, type }: Omit<StoredAnswer, "text">): Record<string, string> => ({
  ...{ "content-type": type, "cache-control": "no-store" },
  ...(salt === "" ? {} : { "haca-salt": salt }),
});

async function answerFresh(parameters: {
  c: GatewayContext;
  parts: GatewayParts;
  request: ChatRequest;
  /** of a request that can be repeated */
  making: Making | undefined;
}): Promise<Response> {
  const { c, making, parts, request } = parameters;
  const { salt } = request;
  const client = c.req.raw.signal;
  const leave = await parts.admission.enter(client);
  const gone = new AbortController();
  // An answer that can be asked for again is made for whoever does so.
  const leaves = request.isStream || request.repeat === undefined;
  const onGone = () => gone.abort(new ClientGoneError());
  if (leaves) {
    client.addEventListener("abort", onGone);
    if (client.aborted) onGone();
  }
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const reasons = [gone.signal, parts.ending];
  const onReason = () => giveUp.abort(reasons.find(({ aborted }) => aborted)?.reason);
  for (const reason of reasons) reason.addEventListener("abort", onReason);
  if (reasons.some(({ aborted }) => aborted)) onReason();
  const timer = setTimeout(() => giveUp.abort(tooLate()), parts.limits.answerMs);
  const end = () => {
    clearTimeout(timer);
    client.removeEventListener("abort", onGone);
    for (const reason of reasons) reason.removeEventListener("abort", onReason);
    leave();
  };
  try {
    if (!request.isStream) {
      const answer = isLegacy(request)
        ? await answerLegacyPlain({ parts, request, signal })
        : await answerPlain({ parts, request, signal });
      end();
      making?.resolve(answer);
      return new Response(answer.text, { headers: headersOf(answer) });
    }
    const { body, path } = request;
    const frames = await parts.upstream.stream({ path, body, signal });
    const stream = sendStream({
      events: isLegacy(request)
        ? answerLegacyStream({ parts, request, frames, gone: gone.signal })
        : answerStream({ parts, request, frames, gone: gone.signal }),
      stallMs: parts.limits.clientMs,
      onGone,
      onStall: () => c.env.outgoing.destroy(),
      onEnd(ended) {
        end();
        if (ended.isSigned) making?.resolve(ended.answer);
        else making?.reject(ended.error);
      },
    });
    return new Response(stream, { headers: headersOf({ type: STREAM_TYPE, salt }) });
  } catch (error) {
    end();
    throw error;
  }
}

/** What a request is told that comes, or is still being answered, when the gateway ends. */
export const stopping = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 503, code: "gateway.stopping", message: "the gateway is being stopped" },
    retryAfter: 1,
  });

const tooLate = (): UpstreamError =>
  new UpstreamError({
    status: 504,
    code: "upstream.tooSlow",
    message: "the upstream's answer takes too long",
  });

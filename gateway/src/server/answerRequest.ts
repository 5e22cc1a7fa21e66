import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import { ClientGoneError, RefusedRequestError, UpstreamError } from "../gatewayError.ts";
import { answerPlain } from "./answerPlain.ts";
import { answerStream } from "./answerStream.ts";
import type { ChatRequest } from "./chatRequest.ts";
import { refusalFor } from "./errorViews.ts";
import type { GatewayParts } from "./gatewayParts.ts";
import { sendStream } from "./sendStream.ts";
import { beginMaking, type Making, type StoredAnswer } from "./storedAnswers.ts";

export type GatewayContext = Context<{
  Bindings: { incoming: IncomingMessage; outgoing: ServerResponse };
}>;

const JSON_TYPE = "application/json";
const STREAM_TYPE = "text/event-stream; charset=utf-8";

/**
 * Answers a request, or shows the answer that the same request under the same `idempotency-key` has had.
 * @throws RefusedRequestError, ClientGoneError
 */
export async function answerRequest(parameters: {
  parts: GatewayParts;
  request: ChatRequest;
  c: GatewayContext;
}): Promise<Response> {
  const { c, parts, request } = parameters;
  const { repeat } = request;
  const before = repeat && parts.stored.find(repeat.key, repeat.request);
  if (before !== undefined) return replay(await before);
  const kept = beginMaking();
  if (repeat !== undefined) parts.stored.begin(repeat.key, repeat.request, kept.answer);
  try {
    return await answerFresh({ c, parts, request, kept });
  } catch (error) {
    kept.reject(
      error instanceof ClientGoneError ? refusalFor(error, parts.logger) : (error as Error),
    );
    throw error;
  }
}

function replay({ salt, text, type }: StoredAnswer): Response {
  return new Response(text, {
    headers: { ...headersOf(type, salt), "idempotent-replayed": "true" },
  });
}

const headersOf = (type: string, salt: string): Record<string, string> => ({
  ...{ "content-type": type, "haca-salt": salt, "cache-control": "no-store" },
});

async function answerFresh(parameters: {
  c: GatewayContext;
  parts: GatewayParts;
  request: ChatRequest;
  kept: Making;
}): Promise<Response> {
  const { c, kept, parts, request } = parameters;
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
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(tooLate()), parts.limits.answerMs);
  const signal = AbortSignal.any([gone.signal, late.signal, parts.ending]);
  const end = () => {
    clearTimeout(timer);
    client.removeEventListener("abort", onGone);
    leave();
  };
  try {
    if (!request.isStream) {
      const text = await answerPlain({ parts, request, signal });
      end();
      kept.resolve({ type: JSON_TYPE, salt, text });
      return new Response(text, { headers: headersOf(JSON_TYPE, salt) });
    }
    const { body, path } = request;
    const frames = await parts.upstream.stream({ path, body, signal });
    const stream = sendStream({
      events: answerStream({ parts, request, frames, gone: gone.signal }),
      stallMs: parts.limits.clientMs,
      onGone,
      onStall: () => c.env.outgoing.destroy(),
      onEnd(ended) {
        end();
        if (ended.isSigned) kept.resolve({ type: STREAM_TYPE, salt, text: ended.text });
        else kept.reject(ended.error);
      },
    });
    return new Response(stream, { headers: headersOf(STREAM_TYPE, salt) });
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

import type { IncomingMessage, ServerResponse } from "node:http";
import { BaseError } from "@haca/protocol/baseError";
import type { Release } from "../client/chat/channelOptions.ts";
import type { ChatChunk, ChatReply } from "../client/chat/chatReply.ts";
import type { Haca } from "../client/createHaca.ts";
import { receiptId } from "../typedData.ts";
import { requireJson, requireToken } from "./guard.ts";
import { ProxyError } from "./proxyError.ts";
import { type ProxiedChat, readRequest } from "./readRequest.ts";
import { pathOf, refusePath, requireMethod, sendJson, serveLocal } from "./serveLocal.ts";

/** How often somebody who waits for a stream hears that the connection is alive. */
const COMMENT_MS = 10_000;
/** Of a status that no client answers with the same request: some do with 422. */
const PAID_FOR_NOTHING = 406;

export type ProxyOptions = {
  haca: Haca;
  /** names that are listed */
  models: readonly string[];
  /** that callers bring */
  token: string;
  /** 0 takes a free one */
  port: number;
  /** of streams; the client's if left out. With `channel` texts go on as they come, and the last frame confirms them */
  release?: Release;
  /** told of each answer before it is given on, or confirmed; where it throws, it is not */
  onReply?: (reply: ChatReply) => void | Promise<void>;
  commentMs?: number;
};

export type RunningProxy = {
  /** up to `/v1` */
  url: string;
  /** Takes no more requests; resolves once those that were taken are answered. */
  stop: () => Promise<void>;
};

/**
 * An endpoint for OpenAI's clients on this machine. It gives on what the client has verified, and nothing else; a stream that is
 * released by channel ends whole only where it is. It never asks twice, and tells clients not to.
 */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { origin, stop } = await serveLocal(options.port, (request, response) =>
    answer(options, request, response),
  );
  return { url: `${origin}/v1`, stop };
}

async function answer(
  options: ProxyOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  requireToken(request, options.token);
  switch (pathOf(request)) {
    case "/v1/models": {
      requireMethod(request, "GET");
      const common = { object: "model", created: 0, owned_by: "haca" };
      const data = options.models.map((id) => ({ id, ...common }));
      return sendJson(response, { object: "list", data });
    }
    case "/v1/chat/completions":
      requireMethod(request, "POST");
      requireJson(request);
      return answerChat(options, await readRequest(request), response);
    default:
      return refusePath();
  }
}

async function answerChat(
  { commentMs = COMMENT_MS, haca, onReply, release }: ProxyOptions,
  { isStream, options }: ProxiedChat,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort(GONE));
  const asked = { ...options, signal: gone.signal, ...(release && { release }) };
  if (!isStream) {
    const reply = await haca.chat(asked);
    await keep(reply, onReply);
    return sendJson(response, { ...reply.answer, haca: wordsOn(reply) });
  }
  const comments = setInterval(() => {
    beginStream(response);
    response.write(": the answer is not verified yet\n\n");
  }, commentMs);
  try {
    const write = (frame: object): void => {
      beginStream(response);
      response.write(eventOf(frame));
    };
    const held: ChatChunk[] = [];
    const stream = haca.streamChat(asked);
    let next = await stream.next();
    for (; next.done !== true; next = await stream.next()) {
      if (release === "channel" && !isLast(next.value)) write(next.value);
      else held.push(next.value);
    }
    const reply = next.value;
    await keep(reply, onReply);
    const last = held.pop();
    for (const chunk of held) write(chunk);
    write({ ...last, haca: wordsOn(reply) });
    response.end("data: [DONE]\n\n");
  } finally {
    clearInterval(comments);
  }
}

/** No other frame has a reason to finish. */
const isLast = ({ choices }: ChatChunk): boolean =>
  choices.some(({ finish_reason: reason }) => reason !== null);

/** Where that fails after a payment, nothing is told for which clients ask, and pay, again by themselves. */
async function keep(reply: ChatReply, onReply: ProxyOptions["onReply"]): Promise<void> {
  try {
    await onReply?.(reply);
  } catch (error) {
    if (reply.payment === null || !(error instanceof BaseError)) throw error;
    throw new ProxyError(PAID_FOR_NOTHING, error.code, `${error.message}; it was paid for`);
  }
}

/** Made once: each has the place in the program where it was made, which takes time. */
const GONE = new Error("who asked has gone");

const wordsOn = ({ node, payment, receipt, verification, witness }: ChatReply): object => ({
  ...{ verification, node, receipt: receipt === null ? null : receiptId(receipt.core) },
  ...(payment === null ? {} : { payment }),
  ...(witness === null ? {} : { witness }),
});

const eventOf = (frame: object): string => `data: ${JSON.stringify(frame)}\n\n`;

function beginStream(response: ServerResponse): void {
  if (response.headersSent) return;
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
}

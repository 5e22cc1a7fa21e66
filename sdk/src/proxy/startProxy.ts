import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ChatChunk, ChatReply } from "../client/chat/chatReply.ts";
import type { Haca } from "../client/createHaca.ts";
import { receiptId } from "../typedData.ts";
import { requireJson, requireLocal, requireToken } from "./guard.ts";
import { ProxyError, refusalOf } from "./proxyError.ts";
import { type ProxiedChat, readRequest } from "./readRequest.ts";

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
  /** told of each answer before it is given on; where it throws, nothing is */
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
 * An endpoint for OpenAI's clients on this machine. It gives on what the client has verified, and nothing else; it never asks
 * twice, and tells clients not to.
 */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  let port = 0;
  let isStopping = false;
  const server = createServer((request, response) => {
    // A connection that is kept for another request would keep the proxy from ending.
    response.on("close", () => isStopping && server.closeIdleConnections());
    void answer(options, port, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  port = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    stop: () =>
      new Promise((resolve) => {
        isStopping = true;
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function answer(
  options: ProxyOptions,
  port: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    requireLocal(request, port);
    const path = request.url?.split("?")[0];
    if (path === "/health" && isMethod(request, "GET")) return sendJson(response, { status: "OK" });
    requireToken(request, options.token);
    if (path === "/v1/models" && isMethod(request, "GET")) {
      const data = options.models.map((id) => ({
        id,
        object: "model",
        created: 0,
        owned_by: "haca",
      }));
      return sendJson(response, { object: "list", data });
    }
    if (path !== "/v1/chat/completions") {
      throw new ProxyError(404, "proxy.unknownPath", "there is nothing at this path");
    }
    isMethod(request, "POST");
    requireJson(request);
    await answerChat(options, await readRequest(request), response);
  } catch (error) {
    sendRefusal(response, error);
  }
}

function isMethod({ method }: IncomingMessage, allowed: string): true {
  if (method === allowed) return true;
  throw new ProxyError(405, "proxy.otherMethod", `this path takes ${allowed}`);
}

async function answerChat(
  { commentMs = COMMENT_MS, haca, onReply }: ProxyOptions,
  { isStream, options }: ProxiedChat,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const asked = { ...options, signal: gone.signal };
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
    const chunks: ChatChunk[] = [];
    const stream = haca.streamChat(asked);
    let next = await stream.next();
    for (; next.done !== true; next = await stream.next()) chunks.push(next.value);
    const reply = next.value;
    await keep(reply, onReply);
    const last = chunks.pop();
    beginStream(response);
    for (const chunk of chunks) response.write(eventOf(chunk));
    response.end(`${eventOf({ ...last, haca: wordsOn(reply) })}data: [DONE]\n\n`);
  } finally {
    clearInterval(comments);
  }
}

/** Where that fails after a payment, nothing is told for which clients ask, and pay, again by themselves. */
async function keep(reply: ChatReply, onReply: ProxyOptions["onReply"]): Promise<void> {
  try {
    await onReply?.(reply);
  } catch (error) {
    if (reply.payment === null || !(error instanceof ProxyError)) throw error;
    throw new ProxyError(PAID_FOR_NOTHING, error.code, `${error.message}; it was paid for`);
  }
}

const wordsOn = ({ node, payment, receipt, verification }: ChatReply): object => ({
  ...{ verification, node, receipt: receipt === null ? null : receiptId(receipt.core) },
  ...(payment === null ? {} : { payment }),
});

const eventOf = (frame: object): string => `data: ${JSON.stringify(frame)}\n\n`;

function beginStream(response: ServerResponse): void {
  if (response.headersSent) return;
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** A refusal, in a stream that has begun as its last frame, without an end. */
function sendRefusal(response: ServerResponse, error: unknown): void {
  const { status, text } = refusalOf(error);
  if (response.headersSent) return void response.end(`data: ${text}\n\n`);
  response.writeHead(status, {
    ...{ "content-type": "application/json", "x-should-retry": "false" },
    // What is left of a request that was not read is nobody's.
    ...(status === 413 ? { connection: "close" } : {}),
  });
  response.end(text);
}

import type { IncomingMessage } from "node:http";
import type { ChatMessage, ChatOptions } from "../client/chat/chatOptions.ts";
import { ProxyError } from "./proxyError.ts";

const BODY_LIMIT = 4 * 1024 * 1024;

export type ProxiedChat = { isStream: boolean; options: ChatOptions };

/** A request to `/v1/chat/completions`, as the client takes it. @throws ProxyError */
export async function readRequest(request: IncomingMessage): Promise<ProxiedChat> {
  const { messages, model, stream = false, ...parameters } = parse(await readBody(request));
  if (typeof stream !== "boolean" && stream !== null) {
    throw new ProxyError(400, "proxy.badRequest", "stream: must be true or false");
  }
  const key = request.headers["idempotency-key"];
  return {
    isStream: stream === true,
    // What is wrong with these is for the client to say.
    options: {
      ...{ model: model as string, messages: messages as ChatMessage[], parameters },
      ...(typeof key === "string" ? { idempotencyKey: key } : {}),
    },
  };
}

/** A request's body as text. @throws ProxyError */
export async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  let left = BODY_LIMIT;
  // The connection is needed for the answer, whatever becomes of the body.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    left -= part.length;
    if (left < 0)
      throw new ProxyError(413, "proxy.tooLarge", `body: must have ${BODY_LIMIT} bytes at most`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function parse(text: string): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ProxyError(400, "proxy.badRequest", "body: is not JSON");
  }
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return { ...body };
  throw new ProxyError(400, "proxy.badRequest", "body: must be an object");
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { requireLocal } from "./guard.ts";
import { ProxyError, refusalOf } from "./proxyError.ts";

export type LocalServer = {
  /** without a path */
  origin: string;
  /** Takes no more requests; resolves once those that were taken are answered. */
  stop: () => Promise<void>;
};

export type Answering = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Serves this machine's own programs, by HTTP on 127.0.0.1. What the answering throws becomes a refusal; `GET /health` is answered
 * without it.
 * @param port 0 takes a free one
 */
export async function serveLocal(wanted: number, answering: Answering): Promise<LocalServer> {
  let port = 0;
  let isStopping = false;
  const server = createServer(async (request, response) => {
    // A connection that is kept for another request would keep the server from ending.
    response.on("close", () => isStopping && server.closeIdleConnections());
    try {
      requireLocal(request, port);
      if (pathOf(request) === "/health") {
        requireMethod(request, "GET");
        sendJson(response, { status: "OK" });
      } else await answering(request, response);
    } catch (error) {
      sendRefusal(response, error);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen(wanted, "127.0.0.1", resolve);
  });
  port = (server.address() as AddressInfo).port;
  return {
    origin: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        isStopping = true;
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

export const pathOf = ({ url }: IncomingMessage): string => url?.split("?")[0] ?? "";

/** @throws ProxyError */
export function requireMethod({ method }: IncomingMessage, allowed: string): void {
  if (method !== allowed) {
    throw new ProxyError(405, "proxy.otherMethod", `this path takes ${allowed}`);
  }
}

/** @throws ProxyError */
export function refusePath(): never {
  throw new ProxyError(404, "proxy.unknownPath", "there is nothing at this path");
}

export function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** A refusal; in a stream that has begun as its last frame, and the connection breaks: some do not look at frames that say an error. */
function sendRefusal(response: ServerResponse, error: unknown): void {
  const { status, text } = refusalOf(error);
  if (response.headersSent) {
    return void response.write(`data: ${text}\n\n`, () => response.destroy());
  }
  response.writeHead(status, {
    ...{ "content-type": "application/json", "x-should-retry": "false" },
    // What is left of a request that was not read is nobody's.
    ...(status === 413 ? { connection: "close" } : {}),
  });
  response.end(text);
}

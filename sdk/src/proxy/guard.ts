import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { ProxyError } from "./proxyError.ts";

/**
 * Keeps away what this machine's own programs do not send. Web pages send `origin` or `sec-fetch-site`; one whose name leads here
 * by now (DNS rebinding) still sends its own name as `host`.
 * @throws ProxyError
 */
export function requireLocal(request: IncomingMessage, port: number): void {
  const { host = "", origin } = request.headers;
  if (![`127.0.0.1:${port}`, `localhost:${port}`].includes(host.toLowerCase())) {
    throw new ProxyError(
      403,
      "proxy.otherHost",
      "host: this answers as 127.0.0.1 or localhost alone",
    );
  }
  if (origin !== undefined || request.headers["sec-fetch-site"] !== undefined) {
    throw new ProxyError(403, "proxy.webPage", "origin: this does not answer web pages");
  }
}

/** @throws ProxyError */
export function requireToken(request: IncomingMessage, token: string): void {
  const [, given = ""] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
  // Of one length, whatever was given.
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  if (timingSafeEqual(hash(given), hash(token))) return;
  throw new ProxyError(
    401,
    "proxy.otherToken",
    "authorization: must be Bearer and this server's token",
  );
}

/** @throws ProxyError */
export function requireJson(request: IncomingMessage): void {
  if (/^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) return;
  throw new ProxyError(415, "proxy.notJson", "content-type: must be application/json");
}

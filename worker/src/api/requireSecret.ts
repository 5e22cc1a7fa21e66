import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { RequestError } from "./requestError.ts";

const hashOf = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Refuses with 401, before anything of the body is read, whoever does not show the secret as a bearer token. How long that
 * takes says nothing of how much of it was right.
 */
export function requireSecret(secret: string): MiddlewareHandler {
  const expected = hashOf(secret);
  return async (c, next) => {
    const [, shown] = /^bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
    // Hashes have one length, whatever was shown.
    if (shown !== undefined && timingSafeEqual(hashOf(shown), expected)) return await next();
    c.header("www-authenticate", "Bearer");
    const what = shown === undefined ? "must be a bearer token" : "is another secret";
    throw new RequestError({
      status: 401,
      code: "collect.unauthorized",
      field: "authorization",
      message: `authorization: ${what}: the worker's HACA_COLLECT_SECRET is asked for`,
    });
  };
}

import { CHAT_HEADERS, EVERY_ORIGIN } from "@haca/protocol/webOrigins";
import { cors } from "hono/cors";
import type { App } from "./app.ts";

/** What pages ask for; not the operator's matters. */
const PATHS = [
  ...["/v1/chat/completions", "/v1/completions", "/v1/models", "/v1/results/:requestId/*"],
  ...["/v1/channel/chat/completions", "/v1/channel/completions"],
  ...["/v1/ohttp", "/signing-key", "/enclave/attestation", "/health"],
];
const MAXIMUM_AGE_SECONDS = 600;

/**
 * Lets pages of these origins ask and read answers (CORS). Whoever asks by other means is asked for no origin: this protects nobody
 * but the users of browsers. No cookies, and no passwords.
 */
export function allowPages(app: App, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const [first = ""] = origins;
  const allow = cors({
    origin: first === EVERY_ORIGIN ? first : [...origins],
    allowMethods: ["GET", "POST"],
    ...{ allowHeaders: [...CHAT_HEADERS.asked], exposeHeaders: [...CHAT_HEADERS.read] },
    maxAge: MAXIMUM_AGE_SECONDS,
  });
  for (const path of PATHS) app.use(path, allow);
}

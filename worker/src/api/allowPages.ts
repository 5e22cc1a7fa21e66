import { EVERY_ORIGIN } from "@haca/protocol/webOrigins";
import type { Hono } from "hono";
import { cors } from "hono/cors";

/** What pages ask for. Results are handed in by gateways, and by no page. */
const PATHS = ["/v1/inferences/*", "/v1/models", "/v1/results/:requestId/*"];
const MAXIMUM_AGE_SECONDS = 600;

/**
 * Lets pages of these origins ask and read answers (CORS). Whoever asks by other means is asked for no origin: this protects nobody
 * but the users of browsers.
 */
export function allowPages(app: Hono, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const [first = ""] = origins;
  const allow = cors({
    origin: first === EVERY_ORIGIN ? first : [...origins],
    ...{ allowMethods: ["GET", "POST"], allowHeaders: ["content-type"] },
    ...{ exposeHeaders: ["retry-after"], maxAge: MAXIMUM_AGE_SECONDS },
  });
  for (const path of PATHS) app.use(path, allow);
}

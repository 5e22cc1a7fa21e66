import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context, Hono } from "hono";
import type { Database } from "../../storage/database.ts";
import { listAttestations } from "./attestations.ts";
import { RateLimit } from "./rateLimit.ts";

/** Requests of an address in a row, and a second after that. A peer makes some ten a second. */
const LIMITS = { burst: 200, perSecond: 50 };

/** `GET /attestations/<pageId>`: signatures for a page, of this validator and of those that it knows. Nobody says who they are. */
export function addAttestationRoutes(app: Hono, { database }: { database: Database }): void {
  const limit = new RateLimit(LIMITS);
  app.get("/attestations/:pageId", async (c) => {
    const seconds = limit.take(addressOf(c));
    if (seconds > 0) {
      c.header("retry-after", String(seconds));
      return c.json({ error: "too many requests" }, 429);
    }
    const pageId = c.req.param("pageId").toLowerCase();
    if (!/^0x[0-9a-f]{64}$/.test(pageId)) {
      return c.json({ error: "pageId: must be 0x and 64 hex digits" }, 400);
    }
    const attestations = await listAttestations({ database, pageId });
    if (attestations.length === 0) return c.json({ error: "no signature for this page" }, 404);
    return c.json({ pageId, attestations });
  });
}

/** Absent in tests that call the application without a server. */
function addressOf(c: Context): string {
  return c.env?.incoming === undefined ? "" : (getConnInfo(c).remote.address ?? "");
}

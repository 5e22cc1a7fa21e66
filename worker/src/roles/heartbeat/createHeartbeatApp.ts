import { Hono } from "hono";
import type { Condition } from "../../repeat.ts";
import type { HeartbeatMetrics } from "./createHeartbeatMetrics.ts";

/** `/health` and `/metrics` of the role `heartbeat`. */
export function createHeartbeatApp(parameters: {
  teeId: string;
  metrics: HeartbeatMetrics;
  condition: () => Condition;
}): Hono {
  const { teeId, metrics, condition } = parameters;
  const app = new Hono();
  app.get("/health", async (c) => {
    const heartbeat = condition();
    const { values } = await metrics.lastHeartbeat.get();
    const lastHeartbeatAt = values[0]?.value ?? 0;
    const status = heartbeat.state === "working" ? "ok" : "degraded";
    return c.json({ status, roles: { heartbeat }, teeId, lastHeartbeatAt });
  });
  app.get("/metrics", async (c) => {
    c.header("content-type", metrics.registry.contentType);
    return c.body(await metrics.registry.metrics());
  });
  return app;
}

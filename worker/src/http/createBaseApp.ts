import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Logger } from "pino";
import type { Metrics } from "../metrics/createMetrics.ts";

/**
 * What roles with an account of their own have in common: requests are counted, bodies bounded, `/metrics` is there, and errors are
 * `{ "error": text }`. Whoever adds routes may set another handler of errors.
 */
export function createBaseApp(parameters: {
  metrics: Metrics;
  logger: Logger;
  /** of a body, in bytes */
  maximumBody: number;
}): Hono {
  const { logger, maximumBody, metrics } = parameters;
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    metrics.requests.inc({ status: String(c.res.status) });
  });
  app.use(
    bodyLimit({
      maxSize: maximumBody,
      onError: (c) => c.json({ error: `body: must not be larger than ${maximumBody} bytes` }, 413),
    }),
  );
  app.get("/metrics", async (c) => {
    c.header("content-type", metrics.registry.contentType);
    return c.body(await metrics.registry.metrics());
  });
  app.notFound((c) => c.json({ error: `there is nothing at ${c.req.method} ${c.req.path}` }, 404));
  app.onError((error, c) => {
    logger.error({ path: c.req.path, err: error }, "request failed");
    return c.json({ error: "internal error; nothing was lost, try again" }, 500);
  });
  return app;
}

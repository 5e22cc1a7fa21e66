import type { Hono } from "hono";
import type { Logger } from "pino";
import { createBaseApp } from "../../http/createBaseApp.ts";
import type { Metrics } from "../../metrics/createMetrics.ts";
import type { Condition } from "../../repeat.ts";
import type { FundsView } from "../../transactions/funds.ts";
import type { DataNodeContext } from "./dataNodeContext.ts";

/**
 * The HTTP interface of the role `data-node`: `/observations/<feed id>` for peers, what this node saw last and signed, which
 * anybody may have; `/health` and `/metrics`.
 */
export function createDataNodeApp(parameters: {
  context: Pick<DataNodeContext, "feeds" | "latest" | "teeId">;
  metrics: Metrics;
  logger: Logger;
  /** of a body, in bytes */
  bodyLimit: number;
  /** what each loop of this process is doing */
  conditions: ReadonlyMap<string, Condition>;
  funds: () => FundsView;
}): Hono {
  const { conditions, funds, logger, metrics } = parameters;
  const { feeds, latest } = parameters.context;
  const app = createBaseApp({ metrics, logger, maximumBody: parameters.bodyLimit });
  app.get("/observations/:feedId", (c) => {
    const observation = latest.get(c.req.param("feedId").toLowerCase());
    if (observation === undefined) return c.json({ error: "no observation of such a feed" }, 404);
    const { teeId, value, observedAt, signature } = observation;
    return c.json({ teeId, value: String(value), observedAt: String(observedAt), signature });
  });
  app.get("/health", (c) => {
    const isWorking = [...conditions.values()].every(({ state }) => state === "working");
    const isPaidFor = funds().state !== "empty";
    const observed = feeds.map(({ feedId }) => {
      const at = latest.get(feedId)?.observedAt;
      return { feedId, observedAt: at === undefined ? null : Number(at) };
    });
    const status = isWorking && isPaidFor ? "ok" : "degraded";
    const roles = Object.fromEntries(conditions);
    const { teeId } = parameters.context;
    return c.json({ status, roles, teeId, feeds: observed, funds: funds() });
  });
  return app;
}

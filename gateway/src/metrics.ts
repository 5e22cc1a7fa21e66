import { Counter, Gauge, Registry } from "prom-client";

export type Metrics = ReturnType<typeof createMetrics>;

/** What `/metrics` shows. No label holds anything that a client chose. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    requests: new Counter({
      name: "haca_gateway_requests_total",
      help: "answers by HTTP status; streams count when they begin",
      labelNames: ["status"] as const,
      registers,
    }),
    results: new Counter({
      name: "haca_gateway_results_total",
      help: "results that the worker's queue has taken, by how the answer ended: complete or disconnected",
      labelNames: ["end"] as const,
      registers,
    }),
    failures: new Counter({
      name: "haca_gateway_failures_total",
      help: "requests without a result, by the code of what was wrong",
      labelNames: ["code"] as const,
      registers,
    }),
    payments: new Counter({
      name: "haca_gateway_payments_total",
      help: "payments that were taken, by route and by what the price table calls the token",
      labelNames: ["route", "token"] as const,
      registers,
    }),
    tokens: new Gauge({
      name: "haca_gateway_token_decimals",
      help: "decimals of each token that requests are paid in",
      labelNames: ["token", "address"] as const,
      registers,
    }),
    running: new Gauge({
      name: "haca_gateway_running",
      help: "requests that are being answered",
      registers,
    }),
    waiting: new Gauge({
      name: "haca_gateway_waiting",
      help: "requests that wait for their turn",
      registers,
    }),
  };
}

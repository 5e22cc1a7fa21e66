import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { createSenderMetrics, type SenderMetrics } from "../../metrics/senderMetrics.ts";

export type HeartbeatMetrics = SenderMetrics & {
  registry: Registry;
  lastHeartbeat: Gauge;
  sessionUntil: Gauge;
  sent: Counter<"path">;
  failures: Counter<"reason">;
  gas: Histogram<"call">;
};

/** Prometheus metrics of the role `heartbeat`. */
export function createHeartbeatMetrics(): HeartbeatMetrics {
  const registry = new Registry();
  const registers = [registry];
  return {
    ...createSenderMetrics(registers),
    registry,
    lastHeartbeat: new Gauge({
      name: "haca_heartbeat_last_timestamp_seconds",
      help: "Signed time of the last heartbeat that the registry has of this node, unix seconds",
      registers,
    }),
    sessionUntil: new Gauge({
      name: "haca_heartbeat_session_until_seconds",
      help: "End of the session key's validity, unix seconds; 0 without one",
      registers,
    }),
    sent: new Counter({
      name: "haca_heartbeats_total",
      help: "Heartbeats that were mined, by the key that signed them",
      labelNames: ["path"],
      registers,
    }),
    failures: new Counter({
      name: "haca_heartbeat_failures_total",
      help: "Failed attempts by reason",
      labelNames: ["reason"],
      registers,
    }),
    gas: new Histogram({
      name: "haca_heartbeat_gas",
      help: "Gas used by the transactions of this role",
      labelNames: ["call"],
      buckets: [40_000, 50_000, 60_000, 80_000, 100_000, 150_000, 200_000],
      registers,
    }),
  };
}

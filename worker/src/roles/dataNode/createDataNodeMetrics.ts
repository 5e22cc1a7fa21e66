import { Counter, Gauge, type Registry } from "prom-client";

/** What the role `data-node` counts, besides what every role that sends does. */
export type DataNodeMetrics = {
  observations: Counter<"feed" | "outcome">;
  counting: Gauge<"feed">;
  updated: Gauge<"feed">;
  posts: Counter<"feed" | "outcome">;
};

export function createDataNodeMetrics(parameters: { registers: Registry[] }): DataNodeMetrics {
  const { registers } = parameters;
  return {
    observations: new Counter({
      name: "haca_feed_observations_total",
      help: "Observations of this node's enclave: made or failed",
      labelNames: ["feed", "outcome"],
      registers,
    }),
    counting: new Gauge({
      name: "haca_feed_counting_observations",
      help: "Observations that counted when a round was due last, of this node and its peers",
      labelNames: ["feed"],
      registers,
    }),
    updated: new Gauge({
      name: "haca_feed_updated_timestamp_seconds",
      help: "Time of the feed's latest round, unix seconds",
      labelNames: ["feed"],
      registers,
    }),
    posts: new Counter({
      name: "haca_feed_posts_total",
      help: "Posts of this node by what became of them: sent, mined, reverted or refused",
      labelNames: ["feed", "outcome"],
      registers,
    }),
  };
}

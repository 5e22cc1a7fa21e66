import type { Logger } from "pino";
import type { Metrics } from "../metrics/createMetrics.ts";
import { type Condition, repeat, type Wakeup } from "../repeat.ts";

/** A piece of work that a process repeats. */
export type Loop = {
  name: string;
  pass: () => Promise<boolean>;
  wakeup: Wakeup;
  intervalMs: number;
};

/** Repeats each until `signal` is aborted; what they do at the moment goes into `conditions` and the metrics. */
export const runLoops = (parameters: {
  loops: readonly Loop[];
  conditions: Map<string, Condition>;
  metrics: Pick<Metrics, "roleBackingOff">;
  signal: AbortSignal;
  logger: Logger;
}): Promise<void>[] => {
  const { loops, conditions, metrics, signal, logger } = parameters;
  return loops.map((loop) =>
    repeat({
      ...loop,
      signal,
      logger,
      report(condition) {
        conditions.set(loop.name, condition);
        const isBackingOff = condition.state === "backing off";
        metrics.roleBackingOff.set({ role: loop.name }, isBackingOff ? 1 : 0);
      },
    }),
  );
};

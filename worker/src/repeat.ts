import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { describeError, RetryableError } from "./errors.ts";

/** Lets one part of the process tell another that there is work, which otherwise looks once per interval. */
export class Wakeup {
  #rung = false;
  #ring: (() => void) | undefined;

  /** Ends the current `wait`, or the next one at once. */
  notify(): void {
    this.#rung = true;
    this.#ring?.();
  }

  /** Returns after `notify`, after `milliseconds`, or when `signal` is aborted: whichever is first. */
  async wait(parameters: { milliseconds: number; signal: AbortSignal }): Promise<void> {
    const { milliseconds, signal } = parameters;
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, milliseconds);
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        }
        signal.addEventListener("abort", done);
        this.#ring = done;
      });
    }
    this.#ring = undefined;
    this.#rung = false;
  }
}

/**
 * Delay before attempt `failures + 1`: exponential from `baseMs` to `maximumMs`, of which a random half is
 * taken away, so that many workers do not come back to a server in step.
 */
export function backoffMs(parameters: {
  failures: number;
  baseMs: number;
  maximumMs: number;
  random?: () => number;
}): number {
  const { failures, baseMs, maximumMs, random = Math.random } = parameters;
  const full = Math.min(maximumMs, baseMs * 2 ** Math.min(failures - 1, 30));
  return full * (0.5 + random() / 2);
}

const BACKOFF = { baseMs: 250, maximumMs: 30_000 };

/** What a repeated piece of work is doing, for `/health`. */
export type Condition = { state: "working" } | { state: "backing off"; error: string; since: Date };

/**
 * Repeats `pass` until `signal` is aborted: at once while it finds work, else after a wake-up or `intervalMs`.
 * A pass that throws is repeated after a jittered exponential delay; nothing ends the repetition but the
 * signal, and the pass that is running then is always finished.
 */
export async function repeat(parameters: {
  name: string;
  pass: () => Promise<boolean>;
  wakeup: Wakeup;
  intervalMs: number;
  signal: AbortSignal;
  logger: Logger;
  report: (condition: Condition) => void;
}): Promise<void> {
  const { name, pass, wakeup, intervalMs, signal, logger, report } = parameters;
  let failures = 0;
  let since = new Date();
  while (!signal.aborted) {
    try {
      const foundWork = await pass();
      if (failures > 0) logger.info({ role: name, failures }, "resumed");
      failures = 0;
      report({ state: "working" });
      if (!foundWork) await wakeup.wait({ milliseconds: intervalMs, signal });
    } catch (error) {
      if (failures === 0) since = new Date();
      failures += 1;
      const message = describeError(error);
      report({ state: "backing off", error: message, since });
      const milliseconds = Math.round(backoffMs({ ...BACKOFF, failures }));
      if (error instanceof RetryableError) {
        logger.warn(
          { role: name, failures, retryInMs: milliseconds, error: message },
          "backing off",
        );
      } else {
        logger.error({ role: name, failures, retryInMs: milliseconds, err: error }, "pass failed");
      }
      await delay(milliseconds, undefined, { signal }).catch(() => undefined);
    }
  }
}

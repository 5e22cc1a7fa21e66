import { setTimeout as delay } from "node:timers/promises";
import { BaseError } from "@haca/protocol/baseError";
import type { Logger } from "pino";
import { backoffMs } from "../backoff.ts";
import { describeError } from "../errors.ts";

const BACKOFF = { baseMs: 500, maximumMs: 15_000 };

/**
 * Repeats `operation` for as long as the endpoint cannot be reached. What the worker itself refuses (a
 * `BaseError`) ends it at once, and so does a stop.
 */
export async function untilReachable<Result>(parameters: {
  operation: () => Promise<Result>;
  signal: AbortSignal;
  logger: Logger;
}): Promise<Result> {
  const { operation, signal, logger } = parameters;
  for (let failures = 1; ; failures++) {
    try {
      return await operation();
    } catch (error) {
      if (error instanceof BaseError || signal.aborted) throw error;
      const milliseconds = Math.round(backoffMs({ ...BACKOFF, failures }));
      logger.warn(
        { retryInMs: milliseconds, error: describeError(error) },
        "HACA_RPC_URL: no answer",
      );
      await delay(milliseconds, undefined, { signal });
    }
  }
}

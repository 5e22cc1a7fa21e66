import { setTimeout as delay } from "node:timers/promises";
import { BaseError } from "@haca/protocol/baseError";
import type { Logger } from "pino";
import { describeError, RetryableError } from "../errors.ts";
import { backoffMs } from "../repeat.ts";

const BACKOFF = { baseMs: 500, maximumMs: 15_000 };

const isFinal = (error: unknown): boolean =>
  error instanceof BaseError && !(error instanceof RetryableError);

/**
 * Repeats `operation` for as long as the endpoint cannot be reached or cannot answer. What the worker itself refuses (a
 * `BaseError` that is not a `RetryableError`) ends it at once, and so does a stop.
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
      if (isFinal(error) || signal.aborted) throw error;
      const milliseconds = Math.round(backoffMs({ ...BACKOFF, failures }));
      logger.warn(
        { retryInMs: milliseconds, error: describeError(error) },
        "HACA_RPC_URL: no answer",
      );
      await delay(milliseconds, undefined, { signal });
    }
  }
}

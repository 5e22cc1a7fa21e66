import { type Logger, pino } from "pino";

/** Bytes of lines that wait where standard output takes none; what is more is lost. */
const MAXIMUM_WAITING = 1 << 20;

/**
 * One JSON object per line on standard output. Neither keys nor signed transactions are ever logged. Lines that cannot
 * be written, because they go to a file on a full disk, wait for the next line; the worker goes on.
 */
export function createLogger(parameters: { level: string }): Logger {
  const output = pino.destination({ dest: 1, sync: true, maxLength: MAXIMUM_WAITING });
  output.on("error", () => undefined);
  return pino(
    { level: parameters.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    output,
  );
}

import { type Logger, pino } from "pino";

/** One JSON object per line on standard output. Neither keys nor signed transactions are ever logged. */
export function createLogger(parameters: { level: string }): Logger {
  return pino(
    { level: parameters.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 1, sync: true }),
  );
}

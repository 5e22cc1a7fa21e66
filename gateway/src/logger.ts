import { BaseError } from "@haca/protocol/baseError";
import { type Logger, pino } from "pino";

/** Bytes of lines that wait where standard output takes none; what is more is lost. */
const MAXIMUM_WAITING = 1 << 20;
const LONGEST = 300;

/**
 * One JSON object per line on standard output. Of an error that is ours its code and its words are logged, which show nothing of
 * prompts, answers and keys; of any other its kind and where it happened.
 */
export function createLogger(parameters: { level: string }): Logger {
  const output = pino.destination({ dest: 1, sync: true, maxLength: MAXIMUM_WAITING });
  output.on("error", () => undefined);
  return pino(
    {
      level: parameters.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorView },
    },
    output,
  );
}

function errorView(error: unknown): object {
  if (error instanceof BaseError) return { type: error.name, code: error.code };
  if (!(error instanceof Error)) return { type: typeof error };
  const frames = error.stack?.split("\n").filter((line) => line.startsWith("    at "));
  return { type: error.name, stack: frames?.join("\n").slice(0, LONGEST) };
}

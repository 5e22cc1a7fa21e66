import { BaseError } from "@haca/protocol/baseError";
import { type DestinationStream, type Logger, pino } from "pino";
import { describeError } from "./errors.ts";
import { redact } from "./redact.ts";

/** Bytes of lines that wait where standard output takes none; what is more is lost. */
const MAXIMUM_WAITING = 1 << 20;

/**
 * One JSON object per line on standard output. Neither keys nor signed transactions are ever logged: of an error
 * only its words and its stack are, since those of ethers carry the whole request. Lines that cannot
 * be written, because they go to a file on a full disk, wait for the next line; the worker goes on.
 */
export function createLogger(parameters: {
  level: string;
  /** standard output where none is given */
  output?: DestinationStream;
}): Logger {
  return pino(
    {
      level: parameters.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorView },
    },
    parameters.output ?? standardOutput(),
  );
}

function standardOutput(): DestinationStream {
  const output = pino.destination({ dest: 1, sync: true, maxLength: MAXIMUM_WAITING });
  output.on("error", () => undefined);
  return output;
}

function errorView(error: unknown): object {
  const message = describeError(error);
  if (!(error instanceof Error)) return { message };
  const code = error instanceof BaseError ? { code: error.code } : {};
  const frames = error.stack?.split("\n").filter((line) => line.startsWith("    at "));
  return { type: error.name, ...code, message, stack: redact(frames?.join("\n") ?? "") };
}

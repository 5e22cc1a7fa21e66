import { BaseError } from "@haca/protocol/baseError";

/**
 * Ends a command with one readable line on standard error and exit status 1. A failure that the project does not
 * know is told in one line too; `HACA_DEBUG=1` shows where it came from.
 */
export function reportFailure(error: unknown): void {
  if (error instanceof BaseError) {
    console.error(`error: ${error.message} [${error.code}]`);
  } else {
    const message = error instanceof Error ? error.message : String(error);
    const line = message.split("\n").find((text) => text.trim() !== "") ?? "unknown failure";
    console.error(`error: ${line.trim()} [unexpected; HACA_DEBUG=1 shows where]`);
  }
  if (process.env.HACA_DEBUG === "1") console.error(error);
  process.exitCode = 1;
}

import { BaseError } from "@haca/protocol/baseError";

/**
 * Ends a command with one readable line on standard error and exit status 1. Failures that the project
 * does not know keep their stack, because that is a defect worth a report.
 */
export function reportFailure(error: unknown): void {
  if (error instanceof BaseError) {
    console.error(`error: ${error.message} [${error.code}]`);
  } else {
    console.error(error);
  }
  process.exitCode = 1;
}

import { BaseError } from "@haca/protocol/baseError";

/** A failure that the same attempt may not meet again: try later, lose nothing. */
export class RetryableError extends BaseError {}

/** A failure that every further attempt would meet again: the job fails with this reason. */
export class NonRetryableError extends BaseError {}

/** A missing or wrong setting. One line that names the variable; exit status 2. */
export class ConfigurationError extends BaseError {}

/** The worker cannot start in this environment. One line; exit status 1. */
export class StartError extends BaseError {}

/** A request that is refused: an HTTP status, and the field at fault where there is one. */
export class RequestError extends BaseError {
  readonly status: 400 | 404 | 405 | 410 | 413 | 415;
  readonly field: string | null;

  constructor(parameters: {
    status: RequestError["status"];
    code: string;
    field: string | null;
    message: string;
    cause?: unknown;
  }) {
    super(parameters);
    this.status = parameters.status;
    this.field = parameters.field;
  }
}

/** One line of text for logs and for the `last_error` column, without a stack. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${error.message}${cause}`.replaceAll(/\s+/g, " ").slice(0, 500);
}

/**
 * The error every part of the project throws for a failure it can name.
 * `code` is stable and machine-readable (`subject.reason`); `message` is one line for a person.
 */
export class BaseError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(parameters: {
    code: string;
    message: string;
    details?: Record<string, unknown>;
    cause?: unknown;
  }) {
    super(parameters.message, parameters.cause === undefined ? {} : { cause: parameters.cause });
    this.name = new.target.name;
    this.code = parameters.code;
    this.details = parameters.details ?? {};
  }
}

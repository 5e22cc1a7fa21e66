import { BaseError } from "@haca/protocol/baseError";

/** Who asked is wrong: nothing was queued, and the same again would be refused again. */
export class BadSubmissionError extends BaseError {
  constructor(field: string, reason: string, cause?: unknown) {
    super({ code: "submission.refused", message: `${field}: ${reason}`, cause });
  }
}

/** Nothing is wrong with what was asked, and it cannot be done now. */
export class UnavailableError extends BaseError {}

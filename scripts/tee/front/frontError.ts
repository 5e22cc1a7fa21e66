import { BaseError } from "@haca/protocol/baseError";

/** A request that the front does not answer as asked, with the HTTP status that says so. */
export class FrontError extends BaseError {
  readonly status: number;

  constructor(parameters: { status: number; code: string; message: string; cause?: unknown }) {
    super(parameters);
    this.status = parameters.status;
  }
}

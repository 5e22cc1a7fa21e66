import { BaseError } from "@haca/protocol/baseError";

/** A request that is refused: an HTTP status, and the field that is wrong where there is one. */
export class RequestError extends BaseError {
  readonly status: 400 | 403 | 404 | 413 | 502;
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

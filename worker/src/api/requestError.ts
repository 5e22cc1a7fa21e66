import { BaseError } from "@haca/protocol/baseError";
import type { RefusedInferenceError, RefusedResultError } from "../errors.ts";

/** A request that is refused: an HTTP status, and the field that is wrong where there is one. */
export class RequestError extends BaseError {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415;
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

/** Refusals of the use cases that are no malformed input; every other one is answered with 400. */
const STATUSES: Readonly<Record<string, RequestError["status"]>> = {
  "model.unknown": 404,
  "model.unknownVersion": 404,
  "model.deprecated": 410,
  "result.otherOperator": 403,
  "result.other": 409,
  "result.alreadySettled": 409,
  "result.versionDeprecated": 410,
};

/** How HTTP says that the node does not answer an inference, or does not take a result. */
export function requestErrorOf(error: RefusedInferenceError | RefusedResultError): RequestError {
  const { code, field, message } = error;
  return new RequestError({ status: STATUSES[code] ?? 400, code, field, message, cause: error });
}

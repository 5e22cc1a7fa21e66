import { BaseError } from "@haca/protocol/baseError";
import type { Logger } from "pino";
import { ClientGoneError, RefusedRequestError } from "../gatewayError.ts";

/** A refusal in the form that OpenAI's clients read. */
export const errorText = ({ code, field, message, status }: RefusedRequestError): string =>
  JSON.stringify({
    error: {
      message,
      type: status < 500 ? "invalid_request_error" : "api_error",
      param: field,
      code,
    },
  });

/** The same in the form of the public network. */
export const legacyErrorText = ({ message }: RefusedRequestError): string =>
  JSON.stringify({ error: message });

/** What a client is told of a failure: what nobody foresaw is logged, and told in general words. */
export function refusalFor(error: unknown, logger: Logger): RefusedRequestError {
  if (error instanceof RefusedRequestError) {
    if (error.status >= 500) logger.warn({ code: error.code }, "no answer");
    return error;
  }
  if (error instanceof ClientGoneError) {
    const { code, message } = error;
    // Nobody reads it.
    return new RefusedRequestError({ status: 400, code, message });
  }
  logger.error({ err: error }, "request failed");
  const code = error instanceof BaseError ? error.code : "gateway.failed";
  return new RefusedRequestError({ status: 500, code, message: "internal error" });
}

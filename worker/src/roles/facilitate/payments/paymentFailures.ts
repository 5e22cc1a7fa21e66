import { HttpRequestError, TimeoutError, BaseError as ViemError } from "viem";
import { RetryableError } from "../../../errors.ts";

/** Whether an error says nothing about a payment: the endpoint, or what this process keeps, did not answer. */
export function isTransportFailure(error: unknown): boolean {
  if (error instanceof RetryableError) return true;
  return error instanceof ViemError && error.walk((layer) => isOfTransport(layer)) !== null;
}

const isOfTransport = (error: unknown): boolean =>
  error instanceof HttpRequestError || error instanceof TimeoutError;

/** No verdict on a payment: the same again may be settled. */
export const unavailable = (cause: unknown): RetryableError =>
  new RetryableError({
    code: "payment.unavailable",
    message: "the endpoint does not answer about a payment",
    cause,
  });

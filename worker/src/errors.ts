import { BaseError } from "@haca/protocol/baseError";
import { endpointWords } from "./endpointWords.ts";
import { redact } from "./redact.ts";

/** A failure that the same attempt may not meet again: try later, lose nothing. */
export class RetryableError extends BaseError {}

/** A failure that every further attempt would meet again: the job fails with this reason. */
export class NonRetryableError extends BaseError {}

/** A missing or wrong setting. One line that names the variable; exit status 2. */
export class ConfigurationError extends BaseError {}

/** The worker cannot start in this environment. One line; exit status 1. */
export class StartError extends BaseError {}

/** The node does not answer an inference: the model or the input is refused. Names the part of the request that is why. */
export class RefusedInferenceError extends BaseError {
  readonly field: string;

  constructor(parameters: { code: string; field: string; message: string; cause?: unknown }) {
    super(parameters);
    this.field = parameters.field;
  }
}

/** A signed result is not taken in. Names the part of it that is why. */
export class RefusedResultError extends BaseError {
  readonly field: string;

  constructor(parameters: { code: string; field: string; reason: string; cause?: unknown }) {
    const { field, reason, ...rest } = parameters;
    super({ ...rest, message: `${field}: ${reason}` });
    this.field = field;
  }
}

/** The endpoint does not take one transaction, or one call. Others may fare better. */
export class RefusedByEndpointError extends RetryableError {}

/** The contract refuses what time makes possible. Others need not wait for it. */
export class NotYetError extends RetryableError {}

/**
 * One line of text for logs, answers and the `last_error` column: without a stack, a signed transaction, or the secret
 * part of an endpoint's address.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  const cause = error.cause instanceof Error ? ` (${wordsOf(error.cause)})` : "";
  return oneLine(`${wordsOf(error)}${cause}`);
}

/** How a worker ends: one line, whatever it is, and the exit status; what nobody foresaw is shown whole to who asks for it. */
export function failureOf(error: unknown): { line: string; status: number; isKnown: boolean } {
  const isKnown = error instanceof BaseError;
  const hint = isKnown ? "" : " [unexpected; HACA_DEBUG=1 shows where]";
  const status = error instanceof ConfigurationError ? 2 : 1;
  return { line: `${describeError(error)}${hint}`, status, isKnown };
}

/** Messages of ethers quote the whole request. */
function wordsOf(error: Error): string {
  if (!("shortMessage" in error)) return error.message;
  const words = endpointWords(error);
  const short = String(error.shortMessage);
  if (words === undefined) return short;
  return short.startsWith("could not coalesce") ? words : `${short}: ${words}`;
}

const oneLine = (text: string): string => redact(text).replaceAll(/\s+/g, " ").slice(0, 500);

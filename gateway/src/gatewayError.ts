import { BaseError } from "@haca/protocol/baseError";
import type { StoredAnswer } from "./answers/answerFile.ts";

/** A missing or wrong setting. One line that names the variable; exit status 2. */
export class ConfigurationError extends BaseError {}

/** The gateway cannot start, or go on, in this environment. One line; exit status 1. */
export class StartError extends BaseError {}

export type RefusalStatus =
  | 400
  | 402
  | 403
  | 404
  | 405
  | 406
  | 409
  | 412
  | 413
  | 415
  | 429
  | 500
  | 502
  | 503
  | 504;

/** A request that has no answer: the HTTP status, and in words that show nothing of prompt, answer or keys, why. */
export class RefusedRequestError extends BaseError {
  readonly status: RefusalStatus;
  /** part of the request that is why */
  readonly field: string | null;
  /** seconds after which it may fare better */
  readonly retryAfter: number | undefined;
  /** method that the path takes, where another was used */
  readonly allow: string | undefined;
  /** of the answer, besides those that every refusal has */
  readonly headers: Readonly<Record<string, string>>;

  constructor(parameters: {
    status: RefusalStatus;
    code: string;
    message: string;
    field?: string;
    retryAfter?: number | undefined;
    allow?: string;
    headers?: Readonly<Record<string, string>>;
    cause?: unknown;
  }) {
    super(parameters);
    this.status = parameters.status;
    this.field = parameters.field ?? null;
    this.retryAfter = parameters.retryAfter;
    this.allow = parameters.allow;
    this.headers = parameters.headers ?? {};
  }
}

/** The upstream gave no answer that can be signed. */
export class UpstreamError extends RefusedRequestError {}

/** The worker's queue has not taken a result: there is no answer then. */
export class QueueError extends RefusedRequestError {}

/** A refusal that was sealed: who brings the request does not read it. */
export class SealedRefusalError extends BaseError {
  /** as it is sent, and to whoever brings the same again with the same payment meanwhile */
  readonly answer: StoredAnswer;
  /** whether the request is why, which its payer has not seen either */
  readonly isOfRequest: boolean;

  constructor(parameters: { answer: StoredAnswer; cause: unknown }) {
    const message = "the request was refused, for its client's eyes";
    super({ code: SEALED_REFUSAL, message, cause: parameters.cause });
    this.answer = parameters.answer;
    this.isOfRequest = isOfRequest(parameters.cause);
  }
}

export const SEALED_REFUSAL = "ohttp.refused";

/** Whether a request is itself why it is refused. */
export const isOfRequest = (error: unknown): boolean =>
  error instanceof RefusedRequestError && error.status < 429;

/** The client has gone before anything was sent to it. */
export class ClientGoneError extends BaseError {
  constructor() {
    super({ code: "client.gone", message: "the client has closed the connection" });
  }
}

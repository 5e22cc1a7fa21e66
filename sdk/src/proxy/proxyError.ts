import { BaseError } from "@haca/protocol/baseError";

/** What the proxy refuses by itself. */
export class ProxyError extends BaseError {
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super({ code, message });
    this.status = status;
  }
}

/** Codes of nodes that were not there, or took too long. */
const STATUSES: Readonly<Record<string, number>> = {
  ...{ "option.wrong": 400, "payment.required": 402 },
  ...{ "node.unreachable": 502, "node.privateAddress": 502, "node.timeout": 504 },
  ...{ "node.none": 502, "node.brokenOff": 502 },
};
/** What a node says that is the client's own matter. */
const PASSED_ON: readonly unknown[] = [400, 404, 413, 429, 503];
/** There was an answer, and it is not given on. */
const NOT_VERIFIED = 422;

/** A failure as OpenAI's clients read it. */
export function refusalOf(error: unknown): { status: number; text: string } {
  const isKnown = error instanceof BaseError;
  const code = isKnown ? error.code : "proxy.failed";
  const message = isKnown ? error.message : "internal error";
  const status = isKnown ? statusOf(error) : 500;
  const type = status < 500 ? "invalid_request_error" : "api_error";
  return { status, text: JSON.stringify({ error: { message, type, param: null, code } }) };
}

function statusOf(error: BaseError): number {
  if (error instanceof ProxyError) return error.status;
  if (error.code === "node.refused") {
    const { status } = error.details;
    return PASSED_ON.includes(status) ? Number(status) : 502;
  }
  return STATUSES[error.code] ?? NOT_VERIFIED;
}

import { BaseError } from "@haca/protocol/baseError";

/** What the proxy refuses by itself. */
export class ProxyError extends BaseError {
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super({ code, message });
    this.status = status;
  }
}

/** Codes of what is no matter of verification. */
const STATUSES: Readonly<Record<string, number>> = {
  ...{ "option.wrong": 400, "payment.required": 402 },
  "haca.receiptNotKept": 500,
  ...{ "node.unreachable": 502, "node.privateAddress": 502, "node.timeout": 504 },
  "node.none": 502,
};
/** What a node says that is the client's own matter. */
const PASSED_ON: readonly unknown[] = [400, 404, 413, 429, 503];
/** What a node asks for is not paid. */
const PAYMENT = 402;
const NOTHING_PAID =
  /^payment\.(?:wrong\w+|tooMuch|sessionSpent|expired|noRoute|malformed|notSigned|notNoted)$/;
/** There was, or may have been, an answer, or a payment, and it is not given on. Of a status that no client answers with the same request: LangChain's does with 422. */
const NOT_VERIFIED = 406;

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
  return STATUSES[error.code] ?? (NOTHING_PAID.test(error.code) ? PAYMENT : NOT_VERIFIED);
}

import { setTimeout as wait } from "node:timers/promises";
import { BaseError } from "@haca/protocol/baseError";

/** One JSON-RPC request to a chain; throws a BaseError, an `RpcError` where the endpoint itself refused. */
export type Request = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** What an endpoint answered instead of a result. */
export class RpcError extends BaseError {
  /** of JSON-RPC; -32601: no such method */
  readonly rpcCode: number;

  constructor(parameters: { method: string; rpcCode: number; text: string }) {
    const { method, rpcCode, text } = parameters;
    super({ code: "chain.refused", message: `the endpoint refused ${method}: ${text}` });
    this.rpcCode = rpcCode;
  }
}

const TIMEOUT_MS = 60_000;
const TOO_MANY_REQUESTS = 429;
/** How often a request is put again when the endpoint says that it is asked too quickly. */
const PATIENCE = 8;
const LONGEST_PAUSE_S = 30;

/**
 * Requests over HTTP, without any account. Errors, each saying what it is: `chain.noRpc`, `chain.httpStatus`,
 * `chain.notJsonRpc`, `chain.refused`. Messages name the host alone: the path of a URL may hold a key.
 */
export function httpRequest(url: string): Request {
  const host = hostOf(url);
  let id = 0;
  return async (method, params) => {
    id += 1;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const response = await post({ url, host, body });
    const text = await response.text();
    const answer = parseAnswer(text);
    if (answer === undefined) {
      if (!response.ok) throw badStatus(host, response.status, text);
      throw new BaseError({
        code: "chain.notJsonRpc",
        message: `${host} answers, but not as a JSON-RPC endpoint: ${excerpt(text)}`,
      });
    }
    if (answer.error !== undefined) {
      const { code = 0, message = "no reason given" } = answer.error;
      throw new RpcError({ method, rpcCode: code, text: excerpt(message) });
    }
    return answer.result;
  };
}

type Answer = { result?: unknown; error?: { code?: number; message?: string } };

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    throw new BaseError({ code: "chain.badUrl", message: "the endpoint's address is not a URL" });
  }
}

async function post(parameters: { url: string; host: string; body: string }): Promise<Response> {
  const { url, host, body } = parameters;
  for (let attempt = 1; ; attempt += 1) {
    let response: Response;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (cause) {
      throw new BaseError({
        code: "chain.noRpc",
        message: `${host} does not answer (${reasonOf(cause)}): start the chain or check the URL`,
        cause,
      });
    }
    if (response.status !== TOO_MANY_REQUESTS || attempt === PATIENCE) return response;
    const seconds = Number(response.headers.get("retry-after") ?? 0) || attempt;
    await wait(Math.min(seconds, LONGEST_PAUSE_S) * 1000);
  }
}

function parseAnswer(text: string): Answer | undefined {
  try {
    const answer = JSON.parse(text) as Answer;
    return typeof answer === "object" && answer !== null && ("result" in answer || answer.error)
      ? answer
      : undefined;
  } catch {
    return undefined;
  }
}

const badStatus = (host: string, status: number, text: string): BaseError =>
  new BaseError({
    code: "chain.httpStatus",
    message: `${host} answers with HTTP status ${status}: ${excerpt(text)}`,
  });

const LONGEST_EXCERPT = 160;
const excerpt = (text: string): string =>
  text
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, LONGEST_EXCERPT) || "nothing";

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") {
    return `nothing within ${TIMEOUT_MS / 1000} s`;
  }
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && "code" in cause) return String(cause.code);
  return error instanceof Error ? error.message : String(error);
}

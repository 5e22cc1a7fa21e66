import { BaseError } from "@haca/protocol/baseError";
import { hostOf, oneLine } from "../strangersWords.ts";

const TIME_LIMIT_MS = 20_000;
const BYTE_LIMIT = 4 * 1024 * 1024;

/** What an endpoint did not answer as it should. */
export const chainError = (code: string, message: string, cause?: unknown): BaseError =>
  new BaseError({ code: `chain.${code}`, message, cause });

/**
 * One JSON-RPC call by `fetch`: no redirections, bounded time and bytes.
 * @throws BaseError `chain.unreachable`, `chain.badAnswer`, or `chain.refused` with the endpoint's own words
 */
export async function callRpc(parameters: {
  url: string;
  method: string;
  params: readonly unknown[];
}): Promise<unknown> {
  const { url, method, params } = parameters;
  const text = await post(url, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
  const answer = parse(text, url);
  if ("error" in answer) {
    const { error } = answer;
    const message =
      typeof error === "object" && error !== null ? Reflect.get(error, "message") : "";
    throw chainError(
      "refused",
      `${hostOf(url)} refused ${method}: ${oneLine(typeof message === "string" ? message : "")}`,
    );
  }
  if (!("result" in answer)) throw chainError("badAnswer", `${hostOf(url)} answers no JSON-RPC`);
  return answer.result;
}

async function post(url: string, body: string): Promise<string> {
  try {
    const response = await fetch(url, {
      ...{ method: "POST", body, redirect: "error" },
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(TIME_LIMIT_MS),
    });
    return await readBounded(response);
  } catch (cause) {
    if (cause instanceof BaseError) throw cause;
    throw chainError("unreachable", `${hostOf(url)} does not answer`, cause);
  }
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > BYTE_LIMIT) throw chainError("badAnswer", "an endpoint's answer does not end");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parse(text: string, url: string): object & Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null) return answer as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw chainError("badAnswer", `${hostOf(url)} answers no JSON-RPC`);
}

/** Whether an endpoint can be asked at this address. */
export const isEndpoint = (address: string): boolean =>
  /^https?:$/.test(URL.parse(address)?.protocol ?? "");

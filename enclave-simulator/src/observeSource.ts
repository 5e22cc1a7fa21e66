import { type FeedSource, parseValue } from "@haca/protocol/dataFeeds";
import { RequestError } from "./requestError.ts";

const TIMEOUT_MS = 10_000;
const MAXIMUM_ANSWER = 65_536;

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
/** `JSON.parse` as the engine has it: the reviver is told how a number was written. */
const parseJson = JSON.parse as (text: string, reviver: Reviver) => unknown;

/**
 * Fetches a source and reads its value: the number, or the text of one, to which the pointer (RFC 6901) leads in its JSON.
 * Numbers are taken as they are written, not as a computer's. A source that redirects is not asked elsewhere: its name is
 * signed.
 * @throws RequestError `source.…`, naming `url`, `pointer` or `decimals`
 */
export async function observeSource(parameters: {
  source: FeedSource;
  decimals: number;
}): Promise<bigint> {
  const { source, decimals } = parameters;
  const text = await fetchText(source.url);
  let json: unknown;
  try {
    json = parseJson(text, (_, value, { source: written }) =>
      typeof value === "number" ? written : value,
    );
  } catch (cause) {
    throw refuse("url", "source.notJson", "does not answer JSON", cause);
  }
  const found = at(json, source.pointer);
  if (typeof found !== "string") {
    throw refuse("pointer", "source.noValue", "leads to no number in the source's answer");
  }
  const value = parseValue(found, decimals);
  if (value !== undefined) return value;
  throw refuse("decimals", "source.notANumber", "do not fit what the source answers");
}

async function fetchText(url: string): Promise<string> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const headers = { accept: "application/json" };
  let length = 0;
  const chunks: Uint8Array[] = [];
  try {
    const response = await fetch(url, { redirect: "error", signal, headers });
    if (!response.ok) throw new Error(`status ${response.status}`);
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > MAXIMUM_ANSWER) throw new Error(`more than ${MAXIMUM_ANSWER} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw refuse("url", "source.unreachable", `does not answer (${reason})`, cause);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What a pointer leads to; undefined where that is nothing. */
function at(json: unknown, pointer: string): unknown {
  let here = json;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}

const refuse = (field: string, code: string, reason: string, cause?: unknown): RequestError =>
  new RequestError({ status: 502, code, field, message: `${field}: ${reason}`, cause });

import type { IncomingHttpHeaders } from "node:http";
import { isObject } from "@haca/protocol/json/json";
import { readStrictJson } from "@haca/protocol/json/readJson";
import { type RefusalStatus, UpstreamError } from "../gatewayError.ts";

const MAXIMUM_WORDS = 500;

/** What of an upstream's refusals is the client's own fault, and therefore told to it. */
const OF_THE_CLIENT: Readonly<Record<number, RefusalStatus>> = {
  400: 400,
  404: 400,
  413: 413,
  422: 400,
};

/** What the client is told of an upstream's refusal. Our key is never part of it. */
export async function refusalOf(parameters: {
  status: number;
  headers: IncomingHttpHeaders;
  chunks: AsyncGenerator<Uint8Array>;
  discard: () => void;
  key: string | undefined;
}): Promise<UpstreamError> {
  const { chunks, discard, headers, key, status } = parameters;
  const own = OF_THE_CLIENT[status];
  if (own !== undefined) {
    const message = `the upstream refuses the request: ${await wordsOf(chunks, key)}`;
    return new UpstreamError({ status: own, code: "upstream.refused", message });
  }
  discard();
  if (status === 429) {
    const after = headers["retry-after"] ?? "";
    return new UpstreamError({
      ...{ status, code: "upstream.busy", message: "the upstream has too much to do" },
      retryAfter: /^\d{1,5}$/.test(after) ? Number(after) : 1,
    });
  }
  const code = status === 401 || status === 403 ? "upstream.unauthorized" : "upstream.failed";
  const message = `the upstream has answered with status ${status}`;
  return new UpstreamError({ status: 502, code, message });
}

async function wordsOf(
  chunks: AsyncGenerator<Uint8Array>,
  key: string | undefined,
): Promise<string> {
  try {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    const body = readStrictJson(Buffer.concat(parts));
    const error = isObject(body) ? body.get("error") : undefined;
    const words = isObject(error) ? error.get("message") : error;
    if (typeof words === "string") {
      // Before it is cut: a part of the key would not be found.
      const shown = key === undefined ? words : words.replaceAll(key, "…");
      return shown.replaceAll(/\s+/g, " ").slice(0, MAXIMUM_WORDS);
    }
  } catch {
    // No words, or none that can be read.
  }
  return "without saying why";
}

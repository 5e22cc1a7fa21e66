import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { Readable } from "node:stream";
import { pinnedAgent } from "./pinnedAgent.ts";

/** What of `fetch` an upstream is asked with. */
export type Send = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: Uint8Array<ArrayBuffer>;
    redirect: "error";
    signal: AbortSignal;
  },
) => Promise<Response>;

/** The same to a server whose certificate is pinned. @param pins SHA-256 of certificates' DER, lower-case hex */
export function pinnedFetch(pins: readonly string[]): Send {
  const agent = pinnedAgent(pins);
  return async (url, { body, headers, method, signal }) => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(url, { method, headers, signal, agent }, resolve);
      sent.on("error", reject);
      sent.end(body);
    });
    const { headers: given, statusCode: status = 502 } = answer;
    if (status >= 300 && status < 400) {
      answer.destroy();
      throw new Error("redirected");
    }
    const shown = Object.entries(given).flatMap(([name, value]): [string, string][] =>
      typeof value === "string" ? [[name, value]] : [],
    );
    const stream = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
    return new Response(status === 204 ? null : stream, { status, headers: shown });
  };
}

import { Agent, type IncomingMessage, request } from "node:http";
import type { Bench } from "./nullUpstream.ts";

/** Connections stay open, as many as ask at once. */
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const MESSAGES = [{ role: "user", content: "Say something, at once." }];

/** Times of an answer, in milliseconds from when it was asked for. */
export type Times = { first: number; last: number };

/**
 * Asks a gateway, or the upstream itself, over a connection that stays open.
 * @param parameters.onFirst called when the first part of the answer is here
 */
export function ask(parameters: {
  url: string;
  stream?: boolean;
  bench?: Bench;
  onFirst?: () => void;
}): Promise<Times> {
  const { bench, onFirst, stream = false, url } = parameters;
  const body = JSON.stringify({ model: "null", messages: MESSAGES, stream, bench: bench ?? {} });
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const read = (response: IncomingMessage): void => {
      let first = 0;
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        if (text === "") {
          first = performance.now() - started;
          onFirst?.();
        }
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => {
        const isWhole = stream ? text.endsWith("data: [DONE]\n\n") : text.includes('"stop"');
        if (response.statusCode === 200 && isWhole) {
          resolve({ first, last: performance.now() - started });
        } else reject(new Error(`${response.statusCode}: ${text.slice(-300)}`));
      });
    };
    const sent = request(`${url}/v1/chat/completions`, { method: "POST", agent }, read);
    sent.on("error", reject);
    sent.setHeader("content-type", "application/json");
    sent.end(body);
  });
}

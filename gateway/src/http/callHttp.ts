import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** Shorter than servers keep a connection that nobody uses (five seconds, the hastiest of them): none is used as it closes. */
export const IDLE_MS = 4_000;
const agents = {
  http: new HttpAgent({ keepAlive: true, timeout: IDLE_MS }),
  https: new HttpsAgent({ keepAlive: true, timeout: IDLE_MS }),
};

export type HttpCall = {
  url: string;
  method: "GET" | "POST";
  headers: Readonly<Record<string, string>>;
  body?: Uint8Array | string | undefined;
  /** of connections to a server that is not believed like any other */
  agent?: HttpsAgent | undefined;
};

/** A call that is under way. */
export type CalledHttp = {
  /** The answer, as soon as its head is here; its body is a stream. Rejected where there is none, or it is a redirection. */
  response: Promise<IncomingMessage>;
  /** Closes the connection: the answer, or its body, fails. */
  giveUp: (reason: Error) => void;
};

/**
 * Calls over a connection that stays open for the next call. Certificates are verified, redirections are not followed, and
 * nothing is sent twice.
 */
export function callHttp({ agent, body, headers, method, url }: HttpCall): CalledHttp {
  const isSecure = url.startsWith("https:");
  const request = (isSecure ? httpsRequest : httpRequest)(url, {
    ...{ method, agent: agent ?? (isSecure ? agents.https : agents.http) },
    headers: {
      ...headers,
      "accept-encoding": "identity",
      ...(method === "POST" ? { "content-length": Buffer.byteLength(body ?? "") } : {}),
    },
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    // Also of what comes after the head, of which the body's reader hears.
    request.on("error", reject);
    request.on("response", (answer) => {
      const { statusCode = 0 } = answer;
      if (statusCode < 300 || statusCode > 399) return resolve(answer);
      request.destroy();
      reject(new Error(`a redirection, with status ${statusCode}`));
    });
    request.end(body);
  });
  return { response, giveUp: (reason) => void request.destroy(reason) };
}

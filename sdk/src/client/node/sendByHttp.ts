import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { isLoopbackName } from "../nodeAddress.ts";
import { nodeError } from "../nodeError.ts";
import type { Send } from "../send.ts";
import { lookupPublic, requirePublic } from "./publicAddress.ts";

/** Shorter than servers keep a connection that nobody uses (five seconds, the hastiest of them): none is used as it closes. */
const IDLE_MS = 4_000;
const agents = {
  "http:": new HttpAgent({ keepAlive: true, timeout: IDLE_MS }),
  // A name may lead elsewhere for each connection, and each is looked at.
  "https:": new HttpsAgent({ keepAlive: true, timeout: IDLE_MS, lookup: lookupPublic }),
  loopback: new HttpsAgent({ keepAlive: true, timeout: IDLE_MS }),
};

/**
 * In Node: certificates are verified, and no connection is opened to an address that is not a public one, whatever its name,
 * unless the name itself is this machine's.
 */
export const send: Send = async ({ url, method, headers, body, signal }) => {
  const isSecure = url.protocol === "https:";
  const isLoopback = isLoopbackName(url.hostname);
  if (!isLoopback) {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // Nobody looks up what is an address already.
    if (isIP(host) !== 0) requirePublic(host, url.hostname);
  }
  const agent = isLoopback && isSecure ? agents.loopback : agents[isSecure ? "https:" : "http:"];
  const request = (isSecure ? requestHttps : requestHttp)(url, {
    ...{ method, agent, signal },
    headers: {
      ...headers,
      "accept-encoding": "identity",
      ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
    },
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    let isHeard = false;
    request.on("socket", (socket) => {
      if (request.reusedSocket) isHeard = true;
      else socket.once(isSecure ? "secureConnect" : "connect", () => (isHeard = true));
    });
    // Also of what comes after the head, of which the body's reader hears.
    request.on("error", (cause) => {
      if (!isHeard || signal.aborted) return reject(cause);
      reject(nodeError("brokenOff", `${url.host} broke off before it answered`, { cause }));
    });
    request.on("response", resolve);
    request.end(body);
  });
  return {
    status: response.statusCode ?? 0,
    header: (name) => response.headersDistinct[name]?.join(", "),
    body: response,
  };
};

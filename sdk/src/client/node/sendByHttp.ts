import { createHash } from "node:crypto";
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { BaseError } from "@haca/protocol/baseError";
import { isLoopbackName } from "../nodeAddress.ts";
import { nodeError } from "../nodeError.ts";
import type { Call, Send, Sent, Tls } from "../send.ts";
import { lookupPublic, requirePublic } from "./publicAddress.ts";

/** Shorter than servers keep a connection that nobody uses (five seconds, the hastiest of them): none is used as it closes. */
const IDLE_MS = 4_000;
const KEPT = { keepAlive: true, timeout: IDLE_MS } as const;
/** Whatever NODE_TLS_REJECT_UNAUTHORIZED says. */
const VERIFIED = { ...KEPT, rejectUnauthorized: true } as const;
const agents = {
  "http:": new HttpAgent(KEPT),
  // A name may lead elsewhere for each connection, and each is looked at.
  "https:": new HttpsAgent({ ...VERIFIED, lookup: lookupPublic }),
  loopback: new HttpsAgent(VERIFIED),
};

/**
 * In Node: certificates are verified, and no connection is opened to an address that is not a public one, whatever its name,
 * unless the name itself is this machine's.
 */
export const send: Send = async (call) => {
  const { hostname, protocol } = call.url;
  const isLoopback = isLoopbackName(hostname);
  if (protocol !== "https:") return await sendOver(agents["http:"], call);
  return await sendOver(isLoopback ? agents.loopback : agents["https:"], call);
};

/**
 * The same for certificates that are known beforehand. TLS 1.3 alone: in earlier versions a server may show another certificate in
 * the middle of a connection.
 */
export const tls: Tls = {
  async certificateOf(url, signal) {
    requireAllowed(url);
    signal.throwIfAborted();
    const host = bareHost(url);
    const socket = connect({
      ...{ host, port: Number(url.port || 443), ...lookupFor(url) },
      ...(isIP(host) === 0 ? { servername: host } : {}),
      // What it shows is looked at by whoever asked, and nothing is sent.
      rejectUnauthorized: false,
    });
    const stop = (): void => void socket.destroy(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        socket.on("error", reject);
        socket.on("close", () => reject(new Error("closed before a certificate was shown")));
        socket.once("secureConnect", () => {
          const shown = socket.getPeerX509Certificate();
          if (shown === undefined) reject(nodeError("noCertificate", `${url.host} shows none`));
          else resolve(shown.raw);
        });
      });
    } finally {
      signal.removeEventListener("abort", stop);
      socket.destroy();
    }
  },

  pinnedTo(url, certificate) {
    const agent = new HttpsAgent({
      ...{ ...VERIFIED, ...lookupFor(url), minVersion: "TLSv1.3" },
      // It vouches for itself, whoever has signed it.
      ...{ ca: pemOf(certificate), allowPartialTrustChain: true },
      // Of a session that goes on nobody looks at the certificate again.
      maxCachedSessions: 0,
      // In place of a look at its names: what it has signed itself is not it.
      checkServerIdentity: (_host, { raw }) =>
        raw.equals(certificate) ? undefined : otherCertificate(url, raw),
    });
    return (call) => sendOver(agent, call, (reason) => otherCertificate(url, reason));
  },
};

function otherCertificate(url: URL, shown: Buffer | string) {
  const what = typeof shown === "string" ? shown : `its SHA-256 is ${sha256(shown)}`;
  return nodeError(
    "otherCertificate",
    `${url.host} shows another certificate than the attested one (${what})`,
  );
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const pemOf = (certificate: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString("base64")}\n-----END CERTIFICATE-----\n`;

const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");

/** Nobody looks up what is an address already. @throws BaseError `node.privateAddress` */
function requireAllowed(url: URL): void {
  const host = bareHost(url);
  if (!isLoopbackName(url.hostname) && isIP(host) !== 0) requirePublic(host, url.hostname);
}

const lookupFor = ({ hostname }: URL) => (isLoopbackName(hostname) ? {} : { lookup: lookupPublic });

/** @param refused what is said of a certificate that is not taken, for this reason; the reason itself if left out */
async function sendOver(
  agent: HttpAgent,
  { body, headers, method, signal, url }: Call,
  refused?: (reason: string) => Error,
): Promise<Sent> {
  requireAllowed(url);
  const isSecure = url.protocol === "https:";
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
      const { authorizationError: reason } = (request.socket ?? {}) as Partial<TLSSocket>;
      if (reason && refused && !(cause instanceof BaseError))
        return reject(refused(String(reason)));
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
}

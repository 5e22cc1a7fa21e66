import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { BaseError } from "@haca/protocol/baseError";
import { badOption } from "../options.ts";
import { FrontError } from "./frontError.ts";
import { passOn } from "./passOn.ts";
import { RateLimit } from "./rateLimit.ts";

const NONCE = /^[0-9a-fA-F]{40}$/;
/** Most connections at a time. */
const MAXIMUM_CONNECTIONS = 256;
/** What a path is read against; its host is never asked. */
const BASE = "http://front.invalid";
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;

export type FrontParameters = {
  host: string;
  /** 0 takes a free one */
  port: number;
  tls: { cert: string; key: string };
  /** base URL of the enclave */
  enclave: URL;
  /** the document for a nonce (0x and hex), verified on-chain; throws FrontError */
  documentFor: (nonce: string) => Promise<Uint8Array>;
  maximumBody: number;
  requestsPerMinute: number;
  /** milliseconds that only move forward; this machine's if left out */
  clock?: () => number;
};

export type RunningFront = {
  port: number;
  /** Stops accepting, and returns when every request that was accepted has its answer. */
  close(): Promise<void>;
};

/**
 * Listens before an enclave, over TLS: `GET /enclave/attestation?nonce=<40 hex>` gets a document that was verified on-chain,
 * nothing else under `/enclave/` gets through, everything else is the enclave's to answer. Refusals are
 * `{ "error": { "code", "message" } }`, which no tool takes for a document.
 * @throws BaseError `front.cannotListen`, `tee.badOption` for a certificate or key that is none
 */
export async function startFront(parameters: FrontParameters): Promise<RunningFront> {
  const { host, port, requestsPerMinute, clock = () => performance.now() } = parameters;
  const limit = new RateLimit({ perMinute: requestsPerMinute, clock });
  const server = serverOf(parameters, (request, response) => {
    answer({ ...parameters, limit, request, response }).catch((error: unknown) => {
      refuse(response, error);
    });
  });
  server.maxConnections = MAXIMUM_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `cannot listen on ${host}:${port}: ${cause.message}`;
      reject(new BaseError({ code: "front.cannotListen", message, cause }));
    });
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function serverOf(
  { tls }: FrontParameters,
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const times = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS };
  try {
    return createServer({ ...tls, ...times }, listener);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw badOption(`--cert and --key must be a certificate and its key in PEM: ${reason}`, cause);
  }
}

async function answer(
  parameters: FrontParameters & {
    limit: RateLimit;
    request: IncomingMessage;
    response: ServerResponse;
  },
): Promise<void> {
  const { limit, request, response, documentFor } = parameters;
  if (!limit.take(request.socket.remoteAddress ?? "")) {
    throw refusal(429, "front.tooMany", "too many requests from this address: wait a minute");
  }
  const { place, path, query } = placeOf(request.url ?? "/");
  if (place !== "/enclave" && !place.startsWith("/enclave/")) {
    await passOn({ ...parameters, path });
    return;
  }
  if (place !== "/enclave/attestation" || request.method !== "GET") {
    throw refusal(404, "front.notPassed", "the front passes nothing else on under /enclave/");
  }
  const [nonce = "", ...more] = query.getAll("nonce");
  if (!NONCE.test(nonce) || more.length > 0) {
    throw refusal(400, "nonce.malformed", "nonce: must be 40 hex digits, once");
  }
  const document = await documentFor(`0x${nonce.toLowerCase()}`);
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${Buffer.from(document).toString("base64")}\n`);
}

/** Where a request goes: as the enclave will read it, so that no spelling of a path leads around a rule. */
function placeOf(target: string): { place: string; path: string; query: URLSearchParams } {
  try {
    // A path that begins with two slashes is a path, too, and names no host.
    const url = target.startsWith("/") ? new URL(`${BASE}${target}`) : new URL(target, BASE);
    const decoded = decodeURIComponent(url.pathname).toLowerCase();
    const plain = decoded.replaceAll(/[/\\]+/g, "/").replaceAll(/[?#]/g, "_");
    // Once more, for dots that were escaped.
    const place = new URL(`${BASE}${plain}`).pathname;
    return { place, path: url.pathname + url.search, query: url.searchParams };
  } catch (cause) {
    throw new FrontError({
      ...{ status: 400, code: "path.malformed", cause },
      message: "the request's path cannot be read",
    });
  }
}

const refusal = (status: number, code: string, message: string): FrontError =>
  new FrontError({ status, code, message });

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const known =
    error instanceof FrontError ? error : refusal(500, "front.failed", "the front failed");
  const { code, message, status } = known;
  // What is left of the request is not read: the connection ends with this answer.
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ error: { code, message } }));
}

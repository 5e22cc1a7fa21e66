import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from "node:http";
import { request as requestHttps } from "node:https";
import { pipeline } from "node:stream/promises";
import { FrontError } from "./frontError.ts";

/** Longest silence of an enclave within an answer: it may compute for a while. */
const IDLE_MS = 120_000;

/** Headers that are about one connection and not about the request (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set([
  ...[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
  ],
  ...["proxy-authenticate", "proxy-authorization", "host", "expect"],
]);

/**
 * Sends a request on to the enclave, and its answer back, as they come. The enclave's certificate is not checked: whoever
 * runs the front runs it beside the enclave.
 * @throws FrontError before an answer has begun; afterwards the connection ends
 */
export async function passOn(parameters: {
  request: IncomingMessage;
  response: ServerResponse;
  enclave: URL;
  path: string;
  maximumBody: number;
}): Promise<void> {
  const { request, response, enclave, path, maximumBody } = parameters;
  if (Number(request.headers["content-length"] ?? 0) > maximumBody) throw tooLarge(maximumBody);
  const send = enclave.protocol === "https:" ? requestHttps : requestHttp;
  const outgoing = send({
    // Never a URL made of the path: one that begins with two slashes would name another host.
    ...{ protocol: enclave.protocol, hostname: enclave.hostname, port: enclave.port, path },
    ...(request.method === undefined ? {} : { method: request.method }),
    headers: passedHeaders(request.headers),
    rejectUnauthorized: false,
    timeout: IDLE_MS,
  });
  outgoing.once("timeout", () => outgoing.destroy(new Error("no answer in time")));
  response.once("close", () => outgoing.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.on("error", reject);
  });
  sendBody({ request, outgoing, maximumBody });
  const answer = await answered.catch((cause: unknown) => {
    throw cause instanceof FrontError ? cause : unreachable(cause);
  });
  response.writeHead(answer.statusCode ?? 502, passedHeaders(answer.headers));
  await pipeline(answer, response);
}

/** Piece by piece. The request itself is left alive where it is too large: it is still to be answered. */
function sendBody(parameters: {
  request: IncomingMessage;
  outgoing: ClientRequest;
  maximumBody: number;
}): void {
  const { request, outgoing, maximumBody } = parameters;
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (outgoing.destroyed) return;
    if (length > maximumBody) {
      outgoing.destroy(tooLarge(maximumBody));
    } else if (!outgoing.write(chunk)) {
      request.pause();
      outgoing.once("drain", () => request.resume());
    }
  });
  request.once("end", () => outgoing.end());
  request.once("error", (error) => outgoing.destroy(error));
}

function passedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || HOP_BY_HOP.has(name) || named.includes(name)) continue;
    passed[name] = value;
  }
  return passed;
}

const tooLarge = (maximum: number): FrontError =>
  new FrontError({
    ...{ status: 413, code: "front.bodyTooLarge" },
    message: `body: must not be larger than ${maximum} bytes`,
  });

const unreachable = (cause: unknown): FrontError =>
  new FrontError({
    ...{ status: 502, code: "front.unreachable", cause },
    message: "the enclave does not answer",
  });

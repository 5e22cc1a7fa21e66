import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BaseError } from "@haca/protocol/baseError";
import { isBlobId } from "@haca/protocol/blobs/blobId";
import type { BlobFolder } from "./blobFolder.ts";

const BLOBS = "/v1/blobs";
/** For a whole request: who sends slower than this does not hold a connection. */
const REQUEST_TIMEOUT_MS = 60_000;

const STATUSES: Readonly<Record<string, number>> = {
  "blobs.tooLarge": 413,
  "blobs.full": 507,
  "blobs.damaged": 500,
};

export type RunningBlobServer = {
  /** publishers and aggregators are this and a path */
  url: string;
  /** Stops accepting, and returns when every request that was accepted has its answer. */
  close(): Promise<void>;
};

/**
 * Lets a folder of blobs answer as a publisher and an aggregator of Walrus do: `PUT /v1/blobs?epochs=N` and
 * `GET /v1/blobs/<id>`. What is stored stays; epochs mean nothing here.
 * @throws BaseError `blobs.cannotListen`
 */
export async function startBlobServer(parameters: {
  blobs: BlobFolder;
  host: string;
  /** 0 takes a free one */
  port: number;
  /** what no answer shows: failures of the disk */
  report: (error: unknown) => void;
}): Promise<RunningBlobServer> {
  const { blobs, host, port, report } = parameters;
  const server = createServer((request, response) => {
    answer({ blobs, request, response }).catch((error: unknown) => {
      refuse({ request, response, error, report });
    });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await listen({ server, host, port });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function answer(parameters: {
  blobs: BlobFolder;
  request: IncomingMessage;
  response: ServerResponse;
}): Promise<void> {
  const { blobs, request, response } = parameters;
  const [path = "", query] = (request.url ?? "").split("?", 2);
  if (path === BLOBS) {
    if (request.method !== "PUT") return sendError(response, 405, "only PUT stores a blob");
    const epochs = new URLSearchParams(query).get("epochs") ?? "1";
    if (!/^[1-9]\d{0,5}$/.test(epochs)) {
      return sendError(response, 400, "epochs must be an integer from 1 to 999999");
    }
    const { id, isNew } = await blobs.keep(request);
    return sendJson(
      response,
      200,
      isNew
        ? { newlyCreated: { blobObject: { blobId: id } } }
        : { alreadyCertified: { blobId: id } },
    );
  }
  const id = path.startsWith(`${BLOBS}/`) ? decode(path.slice(BLOBS.length + 1)) : undefined;
  if (id === undefined) return sendError(response, 404, `there is ${BLOBS}, and nothing else`);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return sendError(response, 405, "only GET reads a blob");
  }
  if (!isBlobId(id)) {
    return sendError(response, 400, "a blob id is 32 bytes in base64url, 43 characters");
  }
  const bytes = await blobs.find(id);
  if (bytes === undefined) return sendError(response, 404, `no blob ${id}`);
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": bytes.length,
    // A browser must not run what somebody has stored here.
    "x-content-type-options": "nosniff",
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

function refuse(parameters: {
  request: IncomingMessage;
  response: ServerResponse;
  error: unknown;
  report: (error: unknown) => void;
}): void {
  const { request, response, error, report } = parameters;
  // Nobody waits for an answer any more: the client is why it failed.
  if (request.errored !== null || response.destroyed || response.headersSent) {
    response.destroy();
    return;
  }
  const status = error instanceof BaseError ? STATUSES[error.code] : undefined;
  if (status === undefined || status === 500) report(error);
  const message =
    status !== undefined && error instanceof BaseError ? error.message : "the store failed";
  // What is left of a body that is refused is thrown away until the connection ends, which is at once.
  response.shouldKeepAlive = false;
  request.resume();
  sendError(response, status ?? 500, message);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

const sendError = (response: ServerResponse, status: number, message: string): void =>
  sendJson(response, status, { error: message });

function sendJson(response: ServerResponse, status: number, content: object): void {
  const text = `${JSON.stringify(content)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

async function listen(parameters: { server: Server; host: string; port: number }): Promise<void> {
  const { server, host, port } = parameters;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new BaseError({
          code: "blobs.cannotListen",
          message: `cannot listen on ${host}:${port}: ${cause.message}`,
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

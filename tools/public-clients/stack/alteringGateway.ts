import { once } from "node:events";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { pemOf } from "@haca/enclave-simulator/pemOf";
import type { TlsPair } from "@haca/enclave-simulator/simulatedEnclave";
import { OhttpKeys } from "@haca/gateway/ohttp/ohttpKeys";
import { openRequest } from "@haca/gateway/ohttp/openRequest";
import { ChunkSealer, sealAnswer } from "@haca/gateway/ohttp/sealAnswer";
import { sealEvents } from "@haca/gateway/ohttp/sealEvents";
import { SeenRequests } from "@haca/gateway/ohttp/seenRequests";
import { askPinned } from "./askPinned.ts";
import { MARK } from "./upstream.ts";

const ALTERED = `${MARK.slice(0, -1)}f`;

/**
 * Whoever has the node's certificate and a key for oblivious requests, and changes one byte of what its enclave has signed.
 * With another certificate: whoever has neither.
 */
export class AlteringGateway {
  readonly keys: OhttpKeys;
  readonly #server: Server;
  readonly #seen = new SeenRequests(1_000);
  readonly #gateway: { url: string; certificate: string };

  private constructor(parts: {
    gateway: { url: string; certificate: string };
    tls: TlsPair;
    keys: OhttpKeys;
  }) {
    this.keys = parts.keys;
    this.#gateway = parts.gateway;
    const { certificate, key } = parts.tls;
    const cert = pemOf(certificate);
    this.#server = createServer({ cert, key }, async (request, response) => {
      const bytes = await buffer(request);
      const { headers, url: path = "" } = request;
      const answering =
        path === "/v1/ohttp"
          ? this.#answerSealed(bytes, response)
          : this.#answer({ path, headers, bytes, response });
      await answering.catch((error: unknown) => response.destroy(error as Error));
    });
  }

  /** @param parameters.gateway the genuine one, with the certificate that it shows, in PEM */
  static async start(parameters: {
    gateway: { url: string; certificate: string };
    tls: TlsPair;
  }): Promise<AlteringGateway> {
    const keys = await OhttpKeys.make({ overlapMs: 0, clock: () => Date.now() });
    const altering = new AlteringGateway({ ...parameters, keys });
    altering.#server.listen(0, "127.0.0.1");
    await once(altering.#server, "listening");
    return altering;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(parameters: {
    path: string;
    headers: IncomingHttpHeaders;
    bytes: Uint8Array;
    response: ServerResponse;
  }): Promise<void> {
    const { bytes, headers, path, response } = parameters;
    const answer = await this.#altered(path, bytes, headers);
    response.writeHead(200, { "content-type": answer.type }).end(answer.text);
  }

  async #answerSealed(bytes: Uint8Array, response: ServerResponse): Promise<void> {
    const { keys } = this;
    const opened = await openRequest({ bytes, keys, seen: this.#seen });
    const headers = { "content-type": "application/json", "x-settlement-type": "batch" };
    const { text, type } = await this.#altered("/v1/chat/completions", opened.text, headers);
    if (!type.startsWith("text/event-stream")) {
      const sealed = await sealAnswer(opened, Buffer.from(text));
      response.writeHead(200, { "content-type": "message/ohttp-res" }).end(sealed);
      return;
    }
    const events = new Blob([text]).stream();
    const sealed = sealEvents({ events, sealer: await ChunkSealer.for(opened) });
    response.writeHead(200, { "content-type": "message/ohttp-chunked-res" });
    for await (const chunk of sealed) response.write(chunk);
    response.end();
  }

  /** The genuine answer but for one byte, wherever that stands. @throws where there is nothing to change */
  async #altered(path: string, body: Uint8Array, given: IncomingHttpHeaders) {
    const { certificate, url } = this.#gateway;
    const headers = Object.fromEntries(
      ["content-type", "authorization", "x-settlement-type"].flatMap((name) => {
        const value = given[name];
        return typeof value === "string" ? [[name, value]] : [];
      }),
    );
    const answer = await askPinned({ url: `${url}${path}`, certificate, headers, body });
    const text = answer.body.toString("utf8");
    if (!text.includes(MARK)) throw new Error(`nothing to alter: ${text}`);
    // Completions say it twice, and clients read either.
    return { text: text.replaceAll(MARK, ALTERED), type: answer.headers["content-type"] ?? "" };
  }
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type Received = { path: string; headers: IncomingMessage["headers"]; body: string };
export type Handler = (response: ServerResponse, request: Received) => void | Promise<void>;

/** A server on this machine that answers as the test says, and remembers what it was asked. */
export class HttpServer {
  readonly received: Received[] = [];
  handler: Handler;
  readonly #server = createServer((request, response) => {
    void this.#answer(request, response);
  });

  private constructor(handler: Handler) {
    this.handler = handler;
  }

  static async start(handler: Handler): Promise<HttpServer> {
    const server = new HttpServer(handler);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = {
      path: request.url ?? "",
      headers: request.headers,
      body: await text(request),
    };
    this.received.push(received);
    await this.handler(response, received);
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What the proxy does with requests: `down` cuts the connection, `hanging` never answers. */
export type ProxyMode = "up" | "down" | "hanging" | "failing";

export type RpcRequest = { id: number; method: string; params: unknown[] };
/** The answer that takes the endpoint's place; undefined lets the endpoint answer. */
export type Interference = (
  request: RpcRequest,
) => { result: unknown } | { error: object } | undefined;

/** Stands between a worker and its endpoint, and takes it away when told. */
export class EndpointProxy {
  readonly #server: Server;
  mode: ProxyMode = "up";
  /** Sees every request that is let through. */
  interfere: Interference = () => undefined;
  /** Resolves when a request is left hanging. */
  readonly hung: Promise<void>;
  #requests = 0;
  #waiting: { until: number; resolve: () => void }[] = [];

  private constructor(target: string) {
    let onHung = (): void => undefined;
    this.hung = new Promise((resolve) => {
      onHung = resolve;
    });
    this.#server = createServer((incoming, outgoing) => {
      this.#count();
      if (this.mode === "hanging") {
        onHung();
        return;
      }
      if (this.mode === "down") {
        incoming.socket.destroy();
        return;
      }
      if (this.mode === "failing") {
        outgoing.writeHead(502).end("bad gateway");
        return;
      }
      this.#forward({ target, incoming, outgoing }).catch(() => outgoing.destroy());
    });
  }

  static async start(target: string): Promise<EndpointProxy> {
    const proxy = new EndpointProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when so many more requests have come, whatever became of them. */
  async more(requests: number): Promise<void> {
    const until = this.#requests + requests;
    await new Promise<void>((resolve) => this.#waiting.push({ until, resolve }));
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #count(): void {
    this.#requests += 1;
    const due = this.#waiting.filter(({ until }) => until <= this.#requests);
    this.#waiting = this.#waiting.filter(({ until }) => until > this.#requests);
    for (const { resolve } of due) resolve();
  }

  async #forward(parameters: {
    target: string;
    incoming: IncomingMessage;
    outgoing: ServerResponse;
  }): Promise<void> {
    const { target, incoming, outgoing } = parameters;
    const body = await text(incoming);
    const request = JSON.parse(body) as RpcRequest;
    const instead = this.interfere(request);
    if (instead !== undefined) {
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(JSON.stringify({ jsonrpc: "2.0", id: request.id, ...instead }));
      return;
    }
    const headers = { "content-type": "application/json" };
    const answer = await fetch(target, { method: "POST", headers, body });
    outgoing.writeHead(answer.status, headers);
    outgoing.end(await answer.text());
  }
}

import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What the proxy does with requests: `down` cuts the connection, `hanging` never answers. */
export type ProxyMode = "up" | "down" | "hanging" | "failing";

/** Stands between a worker and its endpoint, and takes it away when told. */
export class EndpointProxy {
  readonly #server: Server;
  mode: ProxyMode = "up";
  /** Resolves when a request is left hanging. */
  readonly hung: Promise<void>;

  private constructor(target: string) {
    let onHung = (): void => undefined;
    this.hung = new Promise((resolve) => {
      onHung = resolve;
    });
    this.#server = createServer((incoming, outgoing) => {
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
      const { headers, method } = incoming;
      const forwarded = request(target, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      forwarded.on("error", () => outgoing.destroy());
      incoming.pipe(forwarded);
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

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

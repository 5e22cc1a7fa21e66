import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { askPinned } from "./askPinned.ts";

const PATH = "/api/v1/chat/ohttp";
const FORWARDED = ["content-type", "accept", "x-ohttp-stream"];

/** A relay of the public network: brings sealed requests to the node, and pays nobody. */
export class Relay {
  readonly #server: Server;
  /** changes one byte of what it cannot read */
  isAltering = false;
  /** what it saw of its clients */
  readonly teeIds: string[] = [];

  private constructor(node: { url: string; certificate: string }) {
    this.#server = createServer(async (request, response) => {
      try {
        const sealed = await buffer(request);
        if (request.url !== PATH) {
          response.writeHead(404).end();
          return;
        }
        this.teeIds.push(String(request.headers["x-tee-id"]));
        const headers = Object.fromEntries(
          FORWARDED.flatMap((name) => {
            const value = request.headers[name];
            return typeof value === "string" ? [[name, value]] : [];
          }),
        );
        const url = `${node.url}/v1/ohttp`;
        const { certificate } = node;
        const answer = await askPinned({ url, certificate, headers, body: sealed });
        const { body } = answer;
        const last = body.length - 1;
        if (this.isAltering) body[last] = (body[last] ?? 0) ^ 1;
        const type = answer.headers["content-type"] ?? "application/octet-stream";
        response.writeHead(answer.status, { "content-type": type }).end(body);
      } catch {
        response.destroy();
      }
    });
  }

  static async start(node: { url: string; certificate: string }): Promise<Relay> {
    const relay = new Relay(node);
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

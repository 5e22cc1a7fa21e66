import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";

const PATH = "/api/v1/chat/ohttp";

/** A relay that pays for what it brings, with a stock client of x402. It knows its clients, and none of their words. */
export class PayingRelay {
  /** statuses that the node answered with */
  readonly statuses: number[] = [];
  readonly #server = createServer((request, response) => void this.#relay(request, response));
  readonly #node: string;
  readonly #paying: typeof fetch;

  private constructor(node: string, paying: typeof fetch) {
    this.#node = node;
    this.#paying = paying;
  }

  /**
   * For one test.
   * @param node URL of what takes sealed requests
   */
  static async start(node: string, { paying }: { paying: typeof fetch }): Promise<PayingRelay> {
    const relay = new PayingRelay(node, paying);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void relay.#server.close());
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url !== PATH) return void response.writeHead(404).end();
    const answer = await this.#paying(this.#node, sealedPost(await buffer(request)));
    this.statuses.push(answer.status);
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }
}

/** How a sealed request is posted. */
export const sealedPost = (bytes: Uint8Array, headers: Record<string, string> = {}) => ({
  method: "POST",
  headers: { "content-type": "message/ohttp-req", ...headers },
  body: Uint8Array.from(bytes),
});

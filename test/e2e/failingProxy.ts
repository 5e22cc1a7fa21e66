import { createServer, type Server } from "node:http";

/** A JSON-RPC proxy whose line is cut after a number of transactions have gone through. */
export class FailingProxy {
  readonly #server: Server;
  #sent = 0;

  constructor(parameters: { target: string; transactions: number }) {
    const { target, transactions } = parameters;
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      if (this.#sent >= transactions) {
        request.socket.destroy();
        return;
      }
      this.#sent += body.match(/"eth_send(Raw)?Transaction"/g)?.length ?? 0;
      const answer = await fetch(target, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      response.setHeader("content-type", "application/json");
      response.end(await answer.text());
    });
  }

  /** Transactions that went through. */
  get sent(): number {
    return this.#sent;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

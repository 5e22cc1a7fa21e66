import { createServer, type Server } from "node:http";

/**
 * What becomes of the last transaction that gets through. `answered`: its sender hears of it, and of nothing after;
 * `lost`: the chain has it and its sender does not hear; `never`: the chain does not get it; `once`: as `lost`, and the
 * line is good again afterwards.
 */
export type Failure = "answered" | "lost" | "never" | "once";

/** A JSON-RPC proxy whose line is cut at a number of transactions. */
export class FailingProxy {
  readonly #server: Server;
  #sent = 0;
  #isCut = false;

  constructor(parameters: {
    target: string;
    transactions: number;
    failure: Failure;
    /** called when the line is cut, before the sender can notice */
    onCut?: () => void;
  }) {
    const { target, transactions, failure, onCut } = parameters;
    const cut = (): void => {
      this.#isCut = failure !== "once";
      onCut?.();
    };
    // A line that lies idle while its sender is busy is not cut: tests say where it is.
    this.#server = createServer({ keepAliveTimeout: 0 }, async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      if (this.#isCut) {
        request.socket.destroy();
        return;
      }
      const isLast = /"eth_send(Raw)?Transaction"/.test(body) && this.#sent + 1 === transactions;
      if (isLast && failure === "never") {
        cut();
        request.socket.destroy();
        return;
      }
      this.#sent += body.match(/"eth_send(Raw)?Transaction"/g)?.length ?? 0;
      const answer = await fetch(target, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const text = await answer.text();
      if (isLast) cut();
      if (isLast && failure !== "answered") {
        request.socket.destroy();
        return;
      }
      response.setHeader("content-type", "application/json");
      response.end(text);
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

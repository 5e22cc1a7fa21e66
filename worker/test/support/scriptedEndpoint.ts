import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

export type Said = {
  result?: unknown;
  error?: { code: number; message: string; data?: string };
  /** HTTP status; 200 where absent */
  status?: number;
};
/** What a method is answered, by its parameters where it depends on them. */
export type Answer = Said | ((parameters: unknown[]) => Said);

type Request = { id: number; method: string; params: unknown[] };

/** An endpoint that knows nothing but what a test has it say. */
export class ScriptedEndpoint {
  readonly #server: Server;
  #requests: Request[] = [];
  #answers: Readonly<Record<string, Answer>> = {};

  private constructor() {
    this.#server = createServer(async (incoming, outgoing) => {
      const request = (await json(incoming)) as Request;
      this.#requests.push(request);
      const { id, method, params } = request;
      const answer = this.#answers[method] ?? {
        error: { code: -32601, message: `no ${method} here` },
      };
      const { status = 200, ...said } = typeof answer === "function" ? answer(params) : answer;
      outgoing.statusCode = status;
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(JSON.stringify({ jsonrpc: "2.0", id, ...said }));
    });
  }

  static async start(): Promise<ScriptedEndpoint> {
    const endpoint = new ScriptedEndpoint();
    await new Promise<void>((resolve) => endpoint.#server.listen(0, "127.0.0.1", resolve));
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers by method; a method without one is refused. */
  set answers(answers: Readonly<Record<string, Answer>>) {
    this.#answers = answers;
    this.#requests = [];
  }

  /** Parameters of each request of a method since the answers were set. */
  asked(method: string): unknown[][] {
    return this.#requests.filter((request) => request.method === method).map((r) => r.params);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

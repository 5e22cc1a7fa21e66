import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";

/** The node's address in the registry: it passes on bytes to a port, as the forwarder of an instance does. */
export class Door {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** where new connections lead */
  port = 0;

  private constructor() {
    this.#server = createServer((incoming) => {
      const outgoing = connect(this.port, "127.0.0.1");
      for (const [from, to] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        this.#open.add(from);
        from.once("close", () => this.#open.delete(from) && to.destroy());
        from.on("error", () => to.destroy());
        from.pipe(to);
      }
    });
  }

  static async start(): Promise<Door> {
    const door = new Door();
    door.#server.listen(0, "127.0.0.1");
    await once(door.#server, "listening");
    return door;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Leads to another port, for connections that are open, too: these end. */
  lead(port: number): void {
    this.port = port;
    for (const socket of this.#open) socket.destroy();
  }

  async stop(): Promise<void> {
    this.lead(0);
    this.#server.close();
    await once(this.#server, "close");
  }
}

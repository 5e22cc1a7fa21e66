import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type BlobFolder, openBlobFolder } from "../../../scripts/blobs/blobFolder.ts";
import { type RunningBlobServer, startBlobServer } from "../../../scripts/blobs/blobServer.ts";

/** What the front does: `lying` gives back other contents than were stored, `cutting` half of them. */
export type FrontMode = "up" | "down" | "failing" | "lying" | "cutting" | "otherId";

const OTHER_ID = "A".repeat(43);

/** The folder server, behind something that is down, slow or lies when told. */
export class BlobFront {
  readonly #front: Server;
  readonly #store: RunningBlobServer;
  readonly #blobs: BlobFolder;
  mode: FrontMode = "up";
  /** contents that were put */
  puts = 0;
  #wanted: { requests: number; resolve: () => void } | undefined;
  requests = 0;

  private constructor(store: RunningBlobServer, blobs: BlobFolder) {
    this.#store = store;
    this.#blobs = blobs;
    this.#front = createServer((incoming, outgoing) => {
      // Whoever asked would wait for as long as they do for anything, and name that as what is wrong.
      this.#answer(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const { method = "GET", url } = incoming;
    const { mode } = this;
    this.requests += 1;
    if (method === "PUT") this.puts += 1;
    if (this.requests >= (this.#wanted?.requests ?? Number.POSITIVE_INFINITY)) {
      this.#wanted?.resolve();
    }
    if (mode === "down") {
      incoming.socket.destroy();
      return;
    }
    if (mode === "failing") {
      outgoing.writeHead(503).end();
      return;
    }
    const answer = await fetch(`${this.#store.url}${url}`, {
      method,
      ...(method === "PUT" ? { body: Uint8Array.from(body) } : {}),
    });
    let content = Buffer.from(await answer.arrayBuffer());
    if (mode === "otherId" && method === "PUT") {
      content = Buffer.from(JSON.stringify({ alreadyCertified: { blobId: OTHER_ID } }));
    }
    if (method === "GET" && mode === "lying") content = Buffer.from(content.map((x) => x ^ 1));
    if (method === "GET" && mode === "cutting") content = content.subarray(0, content.length / 2);
    outgoing.writeHead(answer.status).end(content);
  }

  static async start(folder: string): Promise<BlobFront> {
    const limits = { maximumBlob: 1e7, maximumTotal: 1e8 };
    const blobs = await openBlobFolder({ folder, limits });
    const store = await startBlobServer({
      ...{ blobs, host: "127.0.0.1", port: 0 },
      report: (error) => {
        throw error;
      },
    });
    const front = new BlobFront(store, blobs);
    await new Promise<void>((resolve) => front.#front.listen(0, "127.0.0.1", resolve));
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#front.address() as AddressInfo).port}`;
  }

  get settings() {
    return { HACA_BLOB_PUBLISHER: `${this.url}/v1/blobs`, HACA_BLOB_AGGREGATOR: this.url };
  }

  /** Resolves when so many more requests have come. */
  async more(requests: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wanted = { requests: this.requests + requests, resolve };
    });
  }

  async stop(): Promise<void> {
    this.#front.closeAllConnections();
    await new Promise((resolve) => this.#front.close(resolve));
    await this.#store.close();
    this.#blobs.close();
  }
}

import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256 } from "ethers";
import { afterEach, describe, expect, it } from "vitest";
import { BlobError } from "../../src/blobs/blobError.ts";
import { contentId } from "../../src/blobs/blobId.ts";
import { putAndReadBack, withSha256 } from "../../src/blobs/blobStore.ts";
import { createHttpBlobStore, type HttpBlobStoreOptions } from "../../src/blobs/httpBlobStore.ts";

const BYTES = new TextEncoder().encode('{"some":"blob"}');
const ID = contentId(BYTES);
const OTHER_ID = contentId(new TextEncoder().encode("other"));
const created = (id: unknown) => ({
  newlyCreated: { blobObject: { blobId: id, size: 1 }, cost: 5 },
});

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A store at a server that answers as `listener` says. */
async function storeOf(listener: RequestListener, options: Partial<HttpBlobStoreOptions> = {}) {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = createHttpBlobStore({
    publisher: `${url}/v1/blobs`,
    aggregator: `${url}/`,
    ids: "walrus",
    epochs: 10,
    timeoutMs: 30_000,
    maximumBytes: 1_000,
    ...options,
  });
  return { url, store };
}

const answering = (status: number, body: unknown): RequestListener => {
  return (request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(status);
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  };
};

async function failure(action: Promise<unknown>): Promise<BlobError> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BlobError) return error;
  throw error ?? new Error("expected a BlobError");
}

describe("storing", () => {
  it("puts the content under the publisher's path, for so many epochs", async () => {
    const requests: { request: IncomingMessage; body: string }[] = [];
    const { store } = await storeOf((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on("end", () => {
        requests.push({ request, body });
        response.end(JSON.stringify(created(ID)));
      });
    });
    expect(await store.put({ bytes: BYTES })).toEqual({ id: ID, isNew: true });
    const [{ request, body } = { request: undefined, body: undefined }] = requests;
    expect(request?.method).toBe("PUT");
    expect(request?.url).toBe("/v1/blobs?epochs=10");
    expect(request?.headers["content-type"]).toBe("application/json");
    expect(body).toBe(new TextDecoder().decode(BYTES));
  });

  it("knows a content that is there already", async () => {
    const { store } = await storeOf(
      answering(200, { alreadyCertified: { blobId: ID, endEpoch: 9 } }),
    );
    expect(await store.put({ bytes: BYTES })).toEqual({ id: ID, isNew: false });
  });

  it.each<[string, boolean, number, unknown]>([
    ["blob.serverFailed", true, 500, ""],
    ["blob.serverFailed", true, 429, ""],
    ["blob.refused", false, 403, ""],
    ["blob.tooLarge", false, 413, ""],
    ["blob.malformedAnswer", true, 200, "<html>"],
    ["blob.malformedAnswer", true, 200, {}],
    ["blob.malformedAnswer", true, 200, created(7)],
    ["blob.malformedAnswer", true, 200, created("../../etc/passwd")],
    ["blob.malformedAnswer", true, 200, created(`${ID}=`)],
    ["blob.otherId", false, 200, created(OTHER_ID)],
    ["blob.tooLarge", false, 200, "x".repeat(70_000)],
  ])(
    "fails with %s (retryable: %s) where the publisher answers %i %j",
    async (code, isRetryable, status, body) => {
      const { store } = await storeOf(answering(status, body), { ids: "sha256" });
      const error = await failure(store.put({ bytes: BYTES }));
      expect([error.code, error.isRetryable]).toEqual([code, isRetryable]);
    },
  );

  it("sends nothing that is too large", async () => {
    let requests = 0;
    const { store } = await storeOf(() => {
      requests += 1;
    });
    expect((await failure(store.put({ bytes: new Uint8Array(1_001) }))).code).toBe("blob.tooLarge");
    expect(requests).toBe(0);
  });

  it("fails with blob.unreachable where nobody listens, and shows no secret of the address", async () => {
    const { url } = await storeOf(() => undefined);
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    const store = createHttpBlobStore({
      publisher: `${url}/v1/blobs?key=secret`,
      aggregator: url,
      ...{ ids: "walrus", epochs: 1, timeoutMs: 30_000, maximumBytes: 1_000 },
    });
    const error = await failure(store.put({ bytes: BYTES }));
    expect([error.code, error.isRetryable]).toEqual(["blob.unreachable", true]);
    expect(error.message).not.toContain("secret");
  });

  it("fails with blob.timeout where the publisher takes the content and is silent", async () => {
    const { store } = await storeOf((request) => request.resume(), { timeoutMs: 50 });
    expect((await failure(store.put({ bytes: BYTES }))).code).toBe("blob.timeout");
  });

  it("is stopped by its signal", async () => {
    const stopping = new AbortController();
    const { store } = await storeOf(() => stopping.abort(), { signal: stopping.signal });
    expect((await failure(store.put({ bytes: BYTES }))).code).toBe("blob.unreachable");
  });
});

describe("reading", () => {
  const read = async (listener: RequestListener, options?: Partial<HttpBlobStoreOptions>) => {
    const { store } = await storeOf(listener, options);
    return await store.read({ id: ID, check: withSha256(sha256(BYTES)) });
  };

  it("asks the aggregator, and returns what the check returns", async () => {
    const urls: (string | undefined)[] = [];
    const content = await read((request, response) => {
      urls.push(request.url);
      response.end(BYTES);
    });
    expect(Buffer.from(content).equals(BYTES)).toBe(true);
    expect(urls).toEqual([`/v1/blobs/${ID}`]);
  });

  it.each<[string, boolean, RequestListener]>([
    ["blob.notFound", true, answering(404, "")],
    ["blob.serverFailed", true, answering(502, "")],
    ["blob.refused", false, answering(403, "")],
    ["blob.otherContent", false, answering(200, '{"some":"bl0b"}')],
    ["blob.otherContent", false, answering(200, '{"some":"blo')],
    ["blob.otherContent", false, answering(200, "")],
    ["blob.tooLarge", false, answering(200, "x".repeat(1_001))],
    [
      "blob.truncated",
      true,
      (_, response) => {
        response.writeHead(200, { "content-length": BYTES.length });
        response.write(BYTES.subarray(0, 5), () => response.destroy());
      },
    ],
    [
      "blob.unreachable",
      true,
      (_, response) => {
        response.writeHead(302, { location: "http://127.0.0.1:1/" });
        response.end();
      },
    ],
  ])("fails with %s (retryable: %s)", async (code, isRetryable, listener) => {
    const error = await failure(read(listener));
    expect([error.code, error.isRetryable]).toEqual([code, isRetryable]);
  });

  it("ends an answer that has no end", async () => {
    const endless: RequestListener = (_, response) => {
      const more = (): void => {
        if (!response.destroyed && response.write("x".repeat(500))) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    };
    expect((await failure(read(endless))).code).toBe("blob.tooLarge");
  });

  it("fails with blob.timeout where the body stops coming", async () => {
    const stalled: RequestListener = (_, response) => {
      response.write("{");
    };
    expect((await failure(read(stalled, { timeoutMs: 50 }))).code).toBe("blob.timeout");
  });

  it("compares with the id where ids are hashes, whatever the check would take", async () => {
    const { store } = await storeOf(answering(200, "lie"), { ids: "sha256" });
    const error = await failure(store.read({ id: ID, check: (bytes) => bytes }));
    expect(error.code).toBe("blob.otherContent");
  });

  it("asks nobody for what is no id", async () => {
    const { store } = await storeOf(answering(200, "x"));
    for (const id of ["", "../admin", `${ID}A`, `${ID.slice(0, 42)}_`]) {
      const error = await failure(store.read({ id, check: (bytes) => bytes }));
      expect(error.code).toBe("blob.badId");
    }
  });
});

describe("storing and reading back", () => {
  const keeping = (kept: (bytes: Buffer) => Buffer): RequestListener => {
    let content: Uint8Array = new Uint8Array();
    return (request, response) => {
      if (request.method === "GET") {
        response.end(content);
        return;
      }
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        content = kept(Buffer.concat(chunks));
        response.end(JSON.stringify(created(OTHER_ID)));
      });
    };
  };

  it("returns the publisher's id where the content is there", async () => {
    const { store } = await storeOf(keeping((bytes) => bytes));
    expect(await putAndReadBack({ store, bytes: BYTES })).toEqual({ id: OTHER_ID, isNew: true });
  });

  it("does not take the publisher's word: a content that is cut off or changed is an error", async () => {
    for (const kept of [
      (bytes: Buffer) => bytes.subarray(1),
      (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 1)),
    ]) {
      const { store } = await storeOf(keeping(kept));
      expect((await failure(putAndReadBack({ store, bytes: BYTES }))).code).toBe(
        "blob.otherContent",
      );
    }
  });
});

import { createServer, type IncomingMessage, type Server } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FrontError } from "./frontError.ts";
import { RateLimit } from "./rateLimit.ts";
import { type RunningFront, startFront } from "./startFront.ts";

const NONCE = "5a".repeat(20);
const MAXIMUM_BODY = 1000;
const RATE = 200;
const now = BigInt(Math.floor(Date.now() / 1000));
/** Only for its key and certificate: nothing here attests. */
const { tlsKey: key, tlsCertificate } = new SimulatedEnclave({
  ...{
    chain: makeSimulatedChain({ now }),
    measurements: measurementsOf("front"),
    kind: "p256",
    now,
  },
});
const cert = `-----BEGIN CERTIFICATE-----\n${Buffer.from(tlsCertificate).toString("base64")}\n-----END CERTIFICATE-----\n`;

type Seen = { method: string; url: string; headers: IncomingMessage["headers"]; body: string };
let seen: Seen[];
let enclave: Server;
let front: RunningFront;
let milliseconds = 0;
let documentFor: (nonce: string) => Promise<Uint8Array>;

beforeAll(async () => {
  enclave = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("error", () => undefined);
    incoming.on("end", () => {
      const { method = "", url = "", headers } = incoming;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(url === "/missing" ? 404 : 200, { "x-enclave": "yes" });
      response.write("first ");
      response.end("second");
    });
  });
  await new Promise<void>((resolve) => enclave.listen(0, "127.0.0.1", resolve));
  const { port } = enclave.address() as AddressInfo;
  front = await startFront({
    ...{
      host: "127.0.0.1",
      port: 0,
      tls: { cert, key },
      enclave: new URL(`http://127.0.0.1:${port}`),
    },
    ...{ maximumBody: MAXIMUM_BODY, requestsPerMinute: RATE, clock: () => milliseconds },
    documentFor: (nonce) => documentFor(nonce),
  });
});
afterAll(async () => {
  await front.close();
  await new Promise((resolve) => enclave.close(resolve));
});
beforeEach(() => {
  seen = [];
  milliseconds += 60_000;
  documentFor = async () => Uint8Array.of(1, 2, 3);
});

/** A request whose path goes out as it is written. */
async function ask(
  path: string,
  options: { method?: string; body?: string; chunked?: boolean } = {},
) {
  const { method = "GET", body, chunked } = options;
  return await new Promise<{ status: number; text: string; headers: IncomingMessage["headers"] }>(
    (resolve, reject) => {
      const outgoing = request(
        {
          ...{ host: "127.0.0.1", port: front.port, path, method, rejectUnauthorized: false },
          headers: {
            ...{ "x-asked": "1", connection: "close, x-private", "x-private": "1" },
            ...(body === undefined || chunked ? {} : { "content-length": Buffer.byteLength(body) }),
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("end", () => {
            const { statusCode: status = 0, headers } = incoming;
            resolve({ status, headers, text: Buffer.concat(chunks).toString() });
          });
        },
      );
      outgoing.once("error", reject);
      outgoing.end(body);
    },
  );
}

describe("GET /enclave/attestation", () => {
  it("answers what was verified, as base64 text, for the nonce that was asked", async () => {
    const asked: string[] = [];
    documentFor = async (nonce) => {
      asked.push(nonce);
      return Uint8Array.of(1, 2, 3);
    };
    for (const path of [
      "/enclave/attestation",
      "/enclave/%61ttestation",
      "/x/../enclave/attestation",
    ]) {
      const { status, text } = await ask(`${path}?nonce=${NONCE.toUpperCase()}`);
      expect({ status, text }).toEqual({ status: 200, text: "AQID\n" });
    }
    expect(asked).toEqual([`0x${NONCE}`, `0x${NONCE}`, `0x${NONCE}`]);
    expect(seen).toEqual([]);
  });

  it("answers nothing that could be taken for a document where the verification failed", async () => {
    documentFor = async () => {
      throw new FrontError({ status: 502, code: "front.refused", message: "no" });
    };
    const refused = await ask(`/enclave/attestation?nonce=${NONCE}`);
    expect(refused.status).toBe(502);
    expect(JSON.parse(refused.text)).toEqual({ error: { code: "front.refused", message: "no" } });
    expect(refused.text).not.toMatch(/^[A-Za-z0-9+/=\s]*$/);
    documentFor = async () => {
      throw new Error("secret of this machine");
    };
    const failed = await ask(`/enclave/attestation?nonce=${NONCE}`);
    expect(failed.status).toBe(500);
    expect(failed.text).not.toContain("secret");
  });

  it.each([
    ["none", ""],
    ["an empty one", "?nonce="],
    ["39 digits", `?nonce=${"a".repeat(39)}`],
    ["other characters", `?nonce=${"g".repeat(40)}`],
    ["a line end", `?nonce=${"a".repeat(40)}%0a`],
    ["two", `?nonce=${NONCE}&nonce=${NONCE}`],
  ])("spends nothing on a nonce that is none: %s", async (_, query) => {
    documentFor = async () => {
      throw new Error("asked");
    };
    const { status, text } = await ask(`/enclave/attestation${query}`);
    expect(status).toBe(400);
    expect(JSON.parse(text).error.code).toBe("nonce.malformed");
  });
});

describe("everything else", () => {
  it("goes to the enclave and comes back as it is", async () => {
    const { status, text, headers } = await ask("/v1/chat?a=%2F&b", { method: "POST", body: "{}" });
    expect({ status, text, header: headers["x-enclave"] }).toEqual({
      ...{ status: 200, text: "first second", header: "yes" },
    });
    expect(seen).toMatchObject([{ method: "POST", url: "/v1/chat?a=%2F&b", body: "{}" }]);
    expect(seen[0]?.headers).toMatchObject({ "x-asked": "1" });
    // What is about the connection is not passed on, nor what it names.
    expect(seen[0]?.headers).not.toHaveProperty("x-private");
    expect((await ask("/missing")).status).toBe(404);
  });

  it.each([
    "/enclave/heartbeat",
    "/enclave",
    "/ENCLAVE/session-key",
    "/x/../enclave/heartbeat",
    "/%65nclave/heartbeat",
    "/enclave%2fheartbeat",
    "/x/%2e%2e/enclave/heartbeat",
    "/x%2f..%2fenclave/heartbeat",
    "/x%3f/../enclave/heartbeat",
    "/.//enclave/heartbeat",
    "/\\enclave/heartbeat",
    "http://front.example/enclave/heartbeat",
  ])("does not reach what is the operator's: %s", async (path) => {
    for (const method of ["GET", "POST"]) {
      expect((await ask(path, { method })).status, method).toBe(404);
    }
    expect((await ask("/enclave/attestation", { method: "POST" })).status).toBe(404);
    expect(seen).toEqual([]);
  });

  it.each(["/.//other.invalid/x", "//other.invalid/x", "http://other.invalid/x"])(
    "goes to this enclave and to no other host: %s",
    async (path) => {
      expect((await ask(path)).text).toBe("first second");
      expect(seen).toHaveLength(1);
    },
  );

  it("refuses a path that cannot be read", async () => {
    expect((await ask("/%zz")).status).toBe(400);
    expect(seen).toEqual([]);
  });

  it.each([false, true])("takes requests up to a size (in pieces: %s)", async (chunked) => {
    const post = (length: number) =>
      ask("/v1/chat", { method: "POST", body: "x".repeat(length), chunked });
    expect((await post(MAXIMUM_BODY)).status).toBe(200);
    const { status, text } = await post(MAXIMUM_BODY + 1);
    expect(status).toBe(413);
    expect(JSON.parse(text).error.code).toBe("front.bodyTooLarge");
    expect(seen).toHaveLength(1);
  });

  it("has a share for each address in a minute", async () => {
    for (let i = 0; i < RATE; i++) expect((await ask("/v1/models")).status).toBe(200);
    const { status, text } = await ask(`/enclave/attestation?nonce=${NONCE}`);
    expect(status).toBe(429);
    expect(JSON.parse(text).error.code).toBe("front.tooMany");
    milliseconds += 60_000;
    expect((await ask("/v1/models")).status).toBe(200);
  });

  it("is refused in words where no enclave answers, or where the front cannot listen", async () => {
    const options = {
      ...{ host: "127.0.0.1", port: 0, tls: { cert, key }, enclave: new URL("http://127.0.0.1:1") },
      ...{ maximumBody: MAXIMUM_BODY, requestsPerMinute: RATE, documentFor },
    };
    const lonely = await startFront(options);
    const { port } = front;
    try {
      front.port = lonely.port;
      const { status, text } = await ask("/v1/models");
      expect(status).toBe(502);
      expect(JSON.parse(text).error).toEqual({
        ...{ code: "front.unreachable", message: "the enclave does not answer" },
      });
    } finally {
      front.port = port;
      await lonely.close();
    }
    await expect(startFront({ ...options, port })).rejects.toMatchObject({
      code: "front.cannotListen",
    });
    await expect(startFront({ ...options, tls: { cert: "no", key: "no" } })).rejects.toMatchObject({
      code: "tee.badOption",
    });
  });

  it("finishes what it accepted before it ends", async () => {
    let release = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      documentFor = () =>
        new Promise((answer) => {
          release = () => answer(Uint8Array.of(1, 2, 3));
          resolve();
        });
    });
    const { port } = front;
    const other = await startFront({
      ...{ host: "127.0.0.1", port: 0, tls: { cert, key }, enclave: new URL("http://127.0.0.1:1") },
      ...{ maximumBody: MAXIMUM_BODY, requestsPerMinute: RATE },
      documentFor: (nonce) => documentFor(nonce),
    });
    front.port = other.port;
    const answer = ask(`/enclave/attestation?nonce=${NONCE}`);
    await asked;
    front.port = port;
    const closed = other.close();
    release();
    expect((await answer).text).toBe("AQID\n");
    await closed;
    const refused = new Promise((resolve) => {
      connect({ host: "127.0.0.1", port: other.port }).once("error", resolve);
    });
    expect(await refused).toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("RateLimit", () => {
  it("remembers no more addresses than it has room for", () => {
    let time = 0;
    const limit = new RateLimit({ perMinute: 2, clock: () => time });
    for (let i = 0; i < 10_000; i++) expect(limit.take(`address ${i}`)).toBe(true);
    expect(limit.take("one more")).toBe(false);
    expect(limit.take("address 1")).toBe(true);
    expect(limit.take("address 1")).toBe(false);
    time += 60_000;
    expect(limit.take("one more")).toBe(true);
  });
});

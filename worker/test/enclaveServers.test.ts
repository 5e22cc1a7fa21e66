import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { clientNonce } from "@haca/attestation/nitro/clientNonce";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { hashObservation, sourceHashOf } from "@haca/protocol/dataFeeds";
import {
  heartbeatMessage,
  MAXIMUM_SESSION,
  sessionKeyDigest,
  teeRegistryDomain,
} from "@haca/protocol/teeMessages";
import { computeAddress, getBytes, hexlify, recoverAddress } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  fetchCertification,
  fetchDocument,
  fetchHeartbeat,
  fetchObservation,
  fetchSigningKey,
  fetchTlsCertificate,
} from "../src/roles/heartbeat/enclaveClient.ts";

const NOW = BigInt(Math.floor(Date.now() / 1000));
const NONCE = `0x${"5a".repeat(20)}`;
const session = {
  chainId: 31337n,
  registry: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
  key: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  signsResults: false,
  until: NOW + 3600n,
  counter: 1n,
};

const enclave = new SimulatedEnclave({
  chain: makeSimulatedChain({ now: NOW }),
  measurements: measurementsOf("image"),
  kind: "secp256k1",
  now: NOW,
});
/** Address of the enclave's secp256k1 key. */
const signer = computeAddress(`0x04${hexlify(enclave.signingKey).slice(-128)}`);

let running: RunningEnclave;
beforeAll(async () => {
  running = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0, clock: () => NOW });
});
afterAll(() => running.close());

const ask = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${running.operatorUrl}${path}`, init);
  const text = await response.text();
  return { status: response.status, text, json: () => JSON.parse(text) };
};
const askSession = (change: Record<string, unknown>) => {
  const body = JSON.stringify({
    ...{ ...session, chainId: "31337", until: String(session.until), counter: "1" },
    ...change,
  });
  return ask("/enclave/session-key", { method: "POST", body });
};

describe("GET /enclave/attestation", () => {
  it("answers a fresh document with the nonce, in base64", async () => {
    const { status, text } = await ask(`/enclave/attestation?nonce=${NONCE.slice(2)}`);
    expect(status).toBe(200);
    expect(text).toMatch(/^[A-Za-z0-9+/]+=*\n$/);
    const document = parseDocument(new Uint8Array(Buffer.from(text, "base64")));
    expect(hexlify(document.nonce ?? "0x")).toBe(NONCE);
    expect(document.timestamp).toBe(NOW * 1000n);
  });

  it.each([
    ["none", ""],
    ["an empty one", "?nonce="],
    ["39 digits", `?nonce=${"a".repeat(39)}`],
    ["41 digits", `?nonce=${"a".repeat(41)}`],
    ["0x", `?nonce=${NONCE.slice(0, 40)}`],
    ["other characters", `?nonce=${"g".repeat(40)}`],
    ["a line end", `?nonce=${"a".repeat(40)}%0a`],
  ])("refuses a nonce: %s", async (_, query) => {
    const answer = await ask(`/enclave/attestation${query}`);
    expect(answer.status).toBe(400);
    expect(answer.json().error).toMatchObject({ code: "nonce.malformed", field: "nonce" });
    expect(answer.json().error.message).toMatch(
      /^nonce: must be 40 hex digits, got \d+ characters$/,
    );
  });
});

describe("what signs", () => {
  it("signs heartbeats at the enclave's own time, whatever is asked", async () => {
    const body = JSON.stringify({ timestamp: "9999999999", message: NONCE });
    const answer = (await ask("/enclave/heartbeat", { method: "POST", body })).json();
    const { teeId } = enclave;
    expect(answer).toMatchObject({ teeId, timestamp: String(NOW) });
    const message = heartbeatMessage({ teeId, timestamp: NOW });
    expect(recoverAddress(message, answer.signature)).toBe(signer);
  });

  it("certifies a session key for one registry on one chain", async () => {
    const signature = await fetchCertification({ url: running.operatorUrl, session });
    const { teeId } = enclave;
    const { chainId, registry, ...rest } = session;
    const domain = teeRegistryDomain({ chainId, registry });
    expect(recoverAddress(sessionKeyDigest({ domain, teeId, ...rest }), signature)).toBe(signer);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["no key", { key: undefined }, /^key: /],
    ["no purpose", { signsResults: undefined }, /^signsResults: /],
    ["a short key", { key: "0x12" }, /^key: must be an address/],
    ["a number as counter", { counter: 1 }, /^counter: /],
    ["a counter of 65 bits", { counter: String(1n << 64n) }, /^counter: must fit 64 bits/],
    ["a field that it does not know", { message: NONCE }, /^body: .*message/],
    ["an end that is past", { until: String(NOW) }, /^until: must be after/],
    ["an end in 31 days", { until: String(NOW + MAXIMUM_SESSION + 1n) }, /^until: must be after/],
  ])("refuses to certify with %s", async (_, change, message) => {
    const { status, json } = await askSession(change);
    expect(status).toBe(400);
    expect(json().error.message).toMatch(message);
  });

  it("certifies a key that signs results only where it is set up for it", async () => {
    const asked = { ...session, signsResults: true };
    const { status, json } = await askSession({ signsResults: true });
    expect(status).toBe(403);
    expect(json().error).toMatchObject({ code: "session.noResults", field: "signsResults" });
    const options = { enclave, port: 0, publicPort: 0, clock: () => NOW };
    const other = await startSimulatedEnclave({ ...options, certifiesResultKeys: true });
    try {
      const signature = await fetchCertification({ url: other.operatorUrl, session: asked });
      const { chainId, registry, ...rest } = asked;
      const domain = teeRegistryDomain({ chainId, registry });
      const { teeId } = enclave;
      const digest = sessionKeyDigest({ domain, teeId, ...rest });
      expect(recoverAddress(digest, signature)).toBe(signer);
      // The same words with another purpose are another statement.
      const narrow = sessionKeyDigest({ domain, teeId, ...rest, signsResults: false });
      expect(recoverAddress(narrow, signature)).not.toBe(signer);
    } finally {
      await other.close();
    }
  });

  it("refuses what is no JSON, and what is too large", async () => {
    const post = (body: string) => ask("/enclave/session-key", { method: "POST", body });
    expect((await post("{")).json().error.code).toBe("body.malformed");
    expect((await post("[]")).status).toBe(400);
    expect((await post("x".repeat(5000))).status).toBe(413);
  });

  it("has no way to sign anything else", async () => {
    for (const path of ["/sign", "/enclave/sign", "/enclave/ohttp-key", "/enclave", "/"]) {
      expect((await ask(path, { method: "POST", body: NONCE })).status).toBe(404);
    }
    expect((await ask("/enclave/heartbeat")).status).toBe(404);
  });
});

describe("the public side", () => {
  it("shows document and key, under the certificate that is attested, and signs nothing", async () => {
    const url = running.publicUrl;
    const { userData, nonce } = parseDocument(await fetchDocument({ url, nonce: NONCE }));
    expect(userData).toEqual(enclave.userData());
    // No registration takes a nonce of this length: what clients get binds nothing.
    expect(nonce).toHaveLength(32);
    expect(hexlify(nonce ?? "0x")).toBe(clientNonce(NONCE));
    expect(await fetchSigningKey({ url })).toEqual(enclave.signingKey);
    const { hostname: host, port } = new URL(url);
    expect(await fetchTlsCertificate({ host, port: Number(port) })).toEqual(enclave.tlsCertificate);
    await expect(fetchHeartbeat({ url })).rejects.toThrow(/has status 404/);
    await expect(fetchCertification({ url, session })).rejects.toThrow(/has status 404/);
  });

  it("says which port is taken", async () => {
    const port = Number(new URL(running.operatorUrl).port);
    await expect(startSimulatedEnclave({ enclave, port, publicPort: 0 })).rejects.toMatchObject({
      code: "enclave.cannotListen",
    });
  });
});

describe("the client", () => {
  /** A server that gives the same answer to everything. */
  const serve = async (answer: { status?: number; body: string | Uint8Array }): Promise<string> => {
    const server = createServer((_, response) => {
      response.writeHead(answer.status ?? 200).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it("takes raw documents and keys in DER too", async () => {
    const document = enclave.attest({ now: NOW, nonce: getBytes(NONCE) });
    const raw = await serve({ body: document });
    expect(await fetchDocument({ url: raw, nonce: NONCE })).toEqual(document);
    const der = await serve({ body: enclave.signingKey });
    expect(await fetchSigningKey({ url: der })).toEqual(enclave.signingKey);
  });

  it("takes signing keys as the public network's gateways answer them", async () => {
    const pem = await ask("/signing-key", { headers: { accept: "application/x-pem-file" } });
    expect(pem.text).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    const base64 = Buffer.from(enclave.signingKey).toString("base64");
    for (const body of [
      pem.text,
      base64,
      JSON.stringify({ public_key: pem.text, tee_id: enclave.teeId, hpke: null }),
      JSON.stringify({ public_key: base64 }),
    ]) {
      expect(await fetchSigningKey({ url: await serve({ body }) })).toEqual(enclave.signingKey);
    }
    expect((await ask("/signing-key")).json()).toMatchObject({
      ...{ public_key: pem.text, tee_id: enclave.teeId },
    });
    for (const body of ["{}", "{", '{"public_key":7}', "hello"]) {
      await expect(fetchSigningKey({ url: await serve({ body }) })).rejects.toMatchObject({
        code: "enclave.badAnswer",
      });
    }
  });

  it.each([
    ["no JSON", "hello", /heartbeat is not JSON$/],
    ["no signature", `{"teeId":"0x${"1".repeat(64)}","timestamp":"1"}`, /signature: /],
    ["a time that is none", `{"teeId":"0x${"1".repeat(64)}","timestamp":"-1"}`, /timestamp: /],
    ["more than is asked for", "x".repeat(70_000), /longer than 65536 bytes$/],
  ])("refuses an answer: %s", async (_, body, message) => {
    const url = await serve({ body });
    const failure = await fetchHeartbeat({ url }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "enclave.badAnswer" });
    expect((failure as Error).message).toMatch(message);
  });

  it("says who does not answer, and keeps a refusal to one line", async () => {
    await expect(fetchHeartbeat({ url: "http://127.0.0.1:1" })).rejects.toMatchObject({
      code: "enclave.unreachable",
    });
    await expect(fetchTlsCertificate({ host: "127.0.0.1", port: 1 })).rejects.toMatchObject({
      code: "enclave.unreachable",
    });
    const url = await serve({ status: 503, body: "busy\n\u001b[31mred\nlines" });
    const failure = await fetchSigningKey({ url }).catch((error: unknown) => error);
    expect((failure as Error).message).toMatch(/has status 503: busy \[31mred lines$/);
  });
});

describe("POST /enclave/observation", () => {
  const feeds = session.registry;
  const feedId = `0x${"ab".repeat(32)}`;
  const answers: Record<string, string> = {
    "/price":
      '{ "a/b": [ { "~": 2500.123456789012345678 } ], "text": "-1.5e1", "word": "much", "big": 1e60 }',
    "/html": "<html>",
    "/huge": `"${"0".repeat(70_000)}"`,
  };
  const source = createServer((request, response) => {
    const answer = answers[request.url ?? ""];
    if (request.url === "/moved") response.writeHead(302, { location: "/price" }).end();
    else if (answer === undefined) response.writeHead(404).end();
    else response.end(answer);
  });
  let base: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(source.address() as AddressInfo).port}`;
  });
  afterAll(() => source.close());
  const observe = (path: string, pointer: string, decimals = 18) =>
    fetchObservation({
      url: running.operatorUrl,
      feed: {
        ...{ chainId: 31337n, feeds, feedId, decimals },
        source: { url: `${base}${path}`, pointer },
      },
    });

  it.each([
    // No number of a computer has so many digits.
    ["/a~1b/0/~0", 18, 2500123456789012345678n],
    ["/a~1b/0/~0", 2, 250_012n],
    ["/text", 0, -15n],
  ])(
    "signs what is at %s with %i decimals, at its own time and under the source's name",
    async (pointer, decimals, value) => {
      const observed = await observe("/price", pointer, decimals);
      expect(observed).toMatchObject({ teeId: enclave.teeId, value, observedAt: NOW });
      const sourceHash = sourceHashOf({ url: `${base}/price`, pointer });
      const observation = { ...observed, feedId, sourceHash, decimals };
      const digest = hashObservation({ chainId: 31337n, feeds, observation });
      expect(recoverAddress(digest, observed.signature)).toBe(signer);
    },
  );

  it.each([
    ["/price", "/none", "pointer: leads to no number"],
    ["/price", "/a~1b", "pointer: leads to no number"],
    ["/price", "/constructor", "pointer: leads to no number"],
    ["/price", "/word", "decimals: do not fit"],
    ["/price", "/big", "decimals: do not fit"],
    ["/html", "/a", "url: does not answer JSON"],
    ["/huge", "/a", "url: does not answer (more than 65536 bytes)"],
    ["/gone", "/a", "url: does not answer (status 404)"],
    // What is signed is this URL's word, and no other's.
    ["/moved", "/text", "url: does not answer"],
  ])("signs nothing of %s at %s", async (path, pointer, words) => {
    await expect(observe(path, pointer)).rejects.toThrow(words);
  });

  it("refuses what it was not asked rightly", async () => {
    const body = {
      chainId: "1",
      feeds,
      feedId,
      url: `${base}/price`,
      pointer: "/text",
      decimals: 0,
    };
    for (const [change, field] of [
      [{ value: "1" }, "body"],
      [{ observedAt: "1" }, "body"],
      [{ url: "file:///etc/hostname" }, "url"],
      [{ pointer: "text" }, "pointer"],
      [{ decimals: 19 }, "decimals"],
      [{ feedId: "0x00" }, "feedId"],
    ] as const) {
      const answer = await ask("/enclave/observation", {
        ...{ method: "POST", body: JSON.stringify({ ...body, ...change }) },
      });
      expect(answer.status).toBe(400);
      expect(answer.json().error).toMatchObject({ code: "body.malformed", field });
    }
  });

  it("is not there for everybody", async () => {
    await expect(
      fetchObservation({
        url: running.publicUrl,
        feed: {
          ...{ chainId: 31337n, feeds, feedId, decimals: 0 },
          source: { url: `${base}/price`, pointer: "/text" },
        },
      }),
    ).rejects.toThrow("status 404");
  });
});

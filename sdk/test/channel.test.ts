import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request as requestHttps } from "node:https";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { pemOf } from "@haca/enclave-simulator/pemOf";
import type { TlsPair } from "@haca/enclave-simulator/simulatedEnclave";
import { hexlify } from "ethers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ChatOptions } from "../src/client/chat/chatOptions.ts";
import { readClient } from "../src/client/client.ts";
import { createHaca, type Haca } from "../src/client/createHaca.ts";
import { seal } from "../src/client/seal.ts";
import { pairOf } from "./support/certificates.ts";
import { servedChains } from "./support/chains.ts";
import {
  CHAIN_ID,
  ChatNode,
  ENCLAVE,
  enclaveWith,
  OTHERS,
  PINS,
  TEXT,
} from "./support/chatNode.ts";
import { serve } from "./support/fakeChain.ts";
import { registryOf } from "./support/nodeRegistry.ts";

const messages = [{ role: "user", content: "a secret" }];
const OWN: TlsPair = { certificate: ENCLAVE.tlsCertificate, key: ENCLAVE.tlsKey };
const serveRegistry = servedChains();

const open: (() => void)[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const close of open.splice(0)) close();
});

type Options = NonNullable<Parameters<typeof ChatNode.start>[0]>["options"];
/** A node that shows this certificate, and a document for another one, where it is to. */
async function nodeShowing(tls: TlsPair, options?: Options): Promise<ChatNode> {
  const node = await ChatNode.start({ ...tls, ...(options && { options }) });
  open.push(() => node.stop());
  return node;
}

type Changes = Partial<Parameters<typeof createHaca>[0]>;
const clientOf = (url: string, changes: Changes = {}): Haca =>
  createHaca({
    ...{ chainId: CHAIN_ID, pins: PINS, nodes: [url], channel: "attested" },
    ...changes,
  });
const ask = (haca: Haca, options: Partial<ChatOptions> = {}) =>
  haca.chat({ model: "m", messages, ...options });
const otherCertificate = { code: "node.otherCertificate" };

describe("an attested channel", () => {
  it("is what nobody but the enclave vouches for, of a certificate of its own or an authority's", async () => {
    const authority = pairOf({ isAuthority: true });
    for (const tls of [OWN, pairOf({ authority })]) {
      const node = await nodeShowing(tls);
      node.lies = { shows: enclaveWith(tls) };
      const plain = createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url] });
      await expect(ask(plain)).rejects.toMatchObject({ code: "node.unreachable" });
      expect(await ask(plain, { channel: "attested" })).toMatchObject({
        ...{ text: TEXT, verification: "verified" },
      });
      const haca = clientOf(node.url);
      expect((await ask(haca)).text).toBe(TEXT);
      // A second answer goes the same way, and the enclave is looked at again.
      expect((await ask(haca)).text).toBe(TEXT);
      expect([node.asked.length, node.documents]).toEqual([3, 3]);
    }
  });

  it("leads through whoever passes on bytes", async () => {
    const node = await nodeShowing(OWN);
    const passing = await passBytes(node.url);
    expect((await ask(clientOf(passing))).text).toBe(TEXT);
  });

  it("is none by http, nor where a node shows what is no document", async () => {
    const plain = await ChatNode.start();
    open.push(() => plain.stop());
    await expect(ask(clientOf(plain.url))).rejects.toMatchObject({ code: "node.noCertificate" });
    const node = await nodeShowing(OWN);
    node.lies = { document: () => new Uint8Array(3) };
    await expect(ask(clientOf(node.url))).rejects.toMatchObject({ code: "node.malformed" });
    expect([plain.asked, node.asked]).toEqual([[], []]);
  });

  it("is none by TLS 1.2, in which a server may change its certificate on the way", async () => {
    const node = await nodeShowing(OWN, { maxVersion: "TLSv1.2" });
    const refused = { code: "node.unreachable" };
    await expect(ask(clientOf(node.url))).rejects.toMatchObject(refused);
    expect(node.documents).toBe(0);
    node.show(OWN);
    node.keepNone();
    const haca = clientOf(node.url);
    await ask(haca);
    node.show(OWN, { maxVersion: "TLSv1.2" });
    await expect(ask(haca)).rejects.toMatchObject(refused);
    expect(node.asked).toHaveLength(1);
  });

  it.each([
    ["another image", { shows: OTHERS.image }],
    ["another root", { shows: OTHERS.root }],
    ["another enclave's key and document", { shows: OTHERS.same }],
    [
      "a document that was changed",
      { document: (document: Uint8Array) => document.with(-1, (document.at(-1) ?? 0) ^ 1) },
    ],
  ])("of a node that shows %s is not there, and the node hears no prompt", async (name, lies) => {
    const node = await nodeShowing(OWN);
    node.lies = lies;
    const code = name.includes("enclave's") ? otherCertificate.code : "answer.notVerified";
    await expect(ask(clientOf(node.url))).rejects.toMatchObject({ code });
    expect(node.asked).toEqual([]);
  });
});

describe("whoever ends TLS before the enclave", () => {
  it.each([
    ["a certificate of their own", () => pairOf()],
    ["an authority's certificate", () => pairOf({ authority: pairOf({ isAuthority: true }) })],
    ["another certificate of the enclave's key", () => otherOfKey()],
    ["another enclave's certificate", () => tlsOf(OTHERS.same)],
  ])("with %s is told nothing, though key and document are the enclave's", async (_name, tls) => {
    const node = await nodeShowing(tls());
    await expect(ask(clientOf(node.url))).rejects.toMatchObject({
      ...otherCertificate,
      details: { attested: expect.stringMatching(/^0x/), shown: expect.stringMatching(/^0x/) },
    });
    expect([node.asked, node.documents]).toEqual([[], 1]);
  });

  it("and passes everything on is told nothing", async () => {
    const node = await nodeShowing(OWN);
    const middle = await relay(node.url, pairOf());
    await expect(ask(clientOf(middle.url))).rejects.toMatchObject(otherCertificate);
    expect(middle.heard.some((path) => path.startsWith("/enclave/attestation"))).toBe(true);
    expect(middle.heard).not.toContain("/v1/chat/completions");
    expect(node.asked).toEqual([]);
  });

  it("with a certificate that the attested one has signed is told nothing", async () => {
    const authority = pairOf({ isAuthority: true });
    const node = await nodeShowing(authority);
    node.keepNone();
    node.lies = { shows: enclaveWith(authority) };
    const haca = clientOf(node.url);
    await ask(haca);
    const signed = pairOf({ authority });
    node.show(signed, { cert: pemOf(signed.certificate) + pemOf(authority.certificate) });
    await expect(ask(haca)).rejects.toMatchObject(otherCertificate);
    expect(node.asked).toHaveLength(1);
  });

  it("and can go on with the enclave's sessions is told nothing", async () => {
    const ticketKeys = randomBytes(48);
    const node = await nodeShowing(OWN, { ticketKeys });
    node.keepNone();
    const haca = clientOf(node.url);
    await ask(haca);
    node.show(pairOf(), { ticketKeys });
    await expect(ask(haca)).rejects.toMatchObject(otherCertificate);
    expect(node.asked).toHaveLength(1);
  });

  it.each(["1", "0"])(
    "from the document on is told nothing, where the environment has %s for a look at certificates",
    async (isLooked) => {
      vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", isLooked);
      const node = await nodeShowing(OWN);
      node.keepNone();
      node.lies = {
        document(document) {
          node.show(pairOf());
          return document;
        },
      };
      await expect(ask(clientOf(node.url))).rejects.toMatchObject(otherCertificate);
      expect([node.asked, node.documents]).toEqual([[], 1]);
    },
  );

  it("in place of one that has expired is told nothing; nor is the enclave itself", async () => {
    const expired = pairOf({ notAfter: BigInt(Math.floor(Date.now() / 1000)) - 60n });
    const node = await nodeShowing(expired);
    node.lies = { shows: enclaveWith(expired) };
    await expect(ask(clientOf(node.url))).rejects.toThrow("CERT_HAS_EXPIRED");
    expect([node.asked, node.documents]).toEqual([[], 0]);
  });

  it("is passed over for another node", async () => {
    const [middle, plain, honest] = [
      await nodeShowing(pairOf()),
      await ChatNode.start(),
      await nodeShowing(OWN),
    ];
    open.push(() => plain.stop());
    const nodes = [middle.url, plain.url, honest.url];
    const haca = clientOf(honest.url, { nodes });
    // Whoever was passed over is asked last from then on.
    for (let i = 0; i < 3; i += 1) expect((await ask(haca)).text).toBe(TEXT);
    expect([middle, plain, honest].map(({ asked }) => asked.length)).toEqual([0, 0, 3]);
  });

  it("and never ends a handshake is waited for no longer than for a small question", async () => {
    const url = await passBytes();
    const late = clientOf(url, { limits: { askMs: 100 } });
    await expect(ask(late)).rejects.toMatchObject({ code: "node.timeout" });
    const controller = new AbortController();
    const asked = ask(clientOf(url), { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });

  it("leads nowhere else", async () => {
    const node = await nodeShowing(OWN);
    node.lies = {
      instead: (response) => response.writeHead(307, { location: "https://localhost/" }).end(),
    };
    await expect(ask(clientOf(node.url))).rejects.toMatchObject({ code: "node.redirect" });
  });
});

describe("an enclave that has another certificate than before", () => {
  it.each([
    ["anew", true],
    ["that are there still, under the one before", false],
  ])("is looked at once more, and asked, on connections %s", async (_name, isAnew) => {
    const node = await nodeShowing(OWN);
    if (isAnew) node.keepNone();
    const haca = clientOf(node.url);
    await ask(haca);
    const next = pairOf();
    node.show(next);
    node.lies = { shows: enclaveWith(next) };
    node.documents = 0;
    expect((await ask(haca)).text).toBe(TEXT);
    // Over a new connection it is asked for none under the certificate before; none may be there still.
    const { documents } = node;
    expect(isAnew ? [1] : [1, 2]).toContain(documents);
    expect((await ask(haca)).text).toBe(TEXT);
    expect(node.documents).toBe(documents + 1);
  });

  it("is looked at once: what is another one again is an error", async () => {
    const node = await nodeShowing(OWN);
    node.keepNone();
    const haca = clientOf(node.url);
    await ask(haca);
    node.documents = 0;
    node.show(pairOf());
    await expect(ask(haca)).rejects.toMatchObject(otherCertificate);
    expect([node.asked.length, node.documents]).toEqual([1, 1]);
  });
});

describe("by the registry's word", () => {
  const registered = (tlsCertificate: string, isActive = true) => ({
    ...registryOf([]),
    isTEEActive: (teeId: unknown) => [isActive && teeId === ENCLAVE.teeId],
    getTEE: () => {
      const [view] = registryOf([{ endpoint: "" }]).getTEE?.("") ?? [];
      return [{ ...(view as object), tlsCertificate }];
    },
  });
  const policy = { attestation: "registry" } as const;
  const OF_ENCLAVE = hexlify(ENCLAVE.tlsCertificate);

  it("a node is asked that shows the certificate which all endpoints name, and no document", async () => {
    const node = await nodeShowing(OWN);
    const rpcs = [
      await serveRegistry({ contracts: registered(OF_ENCLAVE) }),
      await serveRegistry({ contracts: registered(OF_ENCLAVE) }),
    ];
    expect((await ask(clientOf(node.url, { rpcs, policy }))).text).toBe(TEXT);
    expect(node.documents).toBe(0);
  });

  it.each([
    ["another certificate", [registered(hexlify(pairOf().certificate))], otherCertificate.code],
    ["no such enclave that is active", [registered(OF_ENCLAVE, false)], "node.notActive"],
    ["nothing that all say", [registered(OF_ENCLAVE), registered("0x56")], "chain.disagreement"],
  ])("one is told nothing where the registry has %s", async (_name, chains, code) => {
    const node = await nodeShowing(OWN);
    const rpcs = await Promise.all(chains.map((contracts) => serveRegistry({ contracts })));
    const haca = clientOf(node.url, { rpcs, policy });
    await expect(ask(haca)).rejects.toMatchObject({ code });
    expect(node.asked).toEqual([]);
  });
});

describe("what is no prompt", () => {
  /** Says how a request stands, that it is in no page, and that the node is well. */
  const standing = (response: ServerResponse, { url = "" }: IncomingMessage): unknown => {
    if (url.endsWith("/page")) return response.writeHead(404).end("{}");
    const words = { state: "accepted", failure: null, proof: null };
    return response.end(JSON.stringify(words));
  };
  const sealed = async (url: string, channel?: "attested") => {
    const client = readClient({
      ...{ chainId: CHAIN_ID, pins: PINS, policy: { attestation: "direct" } },
      ...(channel && { channel }),
    });
    const { receipt } = await ask(clientOf(url));
    if (receipt === null) throw new Error("no receipt");
    return await seal({ client, receipt, node: new URL(url) });
  };

  it("goes over it, too: what a receipt is sealed with, where the client wants it so", async () => {
    const node = await nodeShowing(OWN);
    const paths: string[] = [];
    node.lies = {
      instead(response, request) {
        if (request.method === "POST") return false;
        paths.push(request.url ?? "");
        return standing(response, request);
      },
    };
    const { missing } = await sealed(node.url, "attested");
    expect(missing).toEqual([{ type: "page", reason: "the request is accepted" }]);
    expect(paths.map((path) => path.replace(/0x[0-9a-f]+/, "id"))).toEqual([
      ...["/v1/results/id", "/v1/results/id/page"],
    ]);
    await expect(sealed(node.url)).rejects.toMatchObject({ code: "node.unreachable" });
    const other = await nodeShowing(pairOf());
    const client = readClient({ chainId: CHAIN_ID, pins: PINS, channel: "attested" });
    const { receipt } = await ask(clientOf(node.url));
    if (receipt === null) throw new Error("no receipt");
    const astray = seal({ client, receipt, node: new URL(other.url) });
    await expect(astray).rejects.toMatchObject(otherCertificate);
    expect(other.asked).toEqual([]);
  });

  it("goes over it, too: the look at how fast the registry's nodes are", async () => {
    const [good, bad] = [await nodeShowing(OWN), await nodeShowing(pairOf())];
    const endpoints = [good, bad].map(({ url }) => ({ endpoint: url }));
    const rpcs = [await serveRegistry({ contracts: registryOf(endpoints) })];
    const latencies = async (channel?: "attested") => {
      const client = { chainId: CHAIN_ID, pins: PINS, rpcs, allowLocalNodes: true };
      const haca = createHaca({ ...client, ...(channel && { channel }) });
      const { nodes } = await haca.nodes({ isPinged: true });
      return nodes.map(({ latency }) => (latency && "ms" in latency ? "ms" : latency?.error));
    };
    expect(await latencies("attested")).toEqual(["ms", "node.otherCertificate"]);
    expect(await latencies()).toEqual(["node.unreachable", "node.unreachable"]);
  });
});

it.each<[Changes | Partial<ChatOptions>, string]>([
  [{ channel: "any" as never }, 'channel: must be "attested" or "oblivious", or left out'],
  [{ release: "now" as never }, 'release: must be "signed" or "channel"'],
])("%j is refused, of a client and of a call", async (options, message) => {
  const url = "https://127.0.0.1:1";
  expect(() => clientOf(url, options as Changes)).toThrow(message);
  await expect(ask(clientOf(url), options as Partial<ChatOptions>)).rejects.toThrow(message);
});

it.each<Partial<ChatOptions>>([{ channel: "attested" }, { release: "channel" }])(
  "%j does not go with an answer that nobody looks at",
  async (options) => {
    const plain = createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: ["https://127.0.0.1:1"] });
    await expect(ask(plain, { ...options, verify: "off" })).rejects.toThrow("verify:");
  },
);

const tlsOf = ({ tlsCertificate: certificate, tlsKey: key }: typeof ENCLAVE): TlsPair => ({
  ...{ certificate, key },
});

/** Another certificate of the key that the enclave's has. */
function otherOfKey(): TlsPair {
  const privateKey = createPrivateKey(ENCLAVE.tlsKey);
  return pairOf({ keys: { privateKey, publicKey: createPublicKey(privateKey) } });
}

/** Passes on the bytes of connections, as a forwarder on an instance does; without an address to nobody. */
async function passBytes(url?: string): Promise<string> {
  const server: Server = createServer((near) => {
    open.push(() => near.destroy());
    if (url === undefined) return;
    const far = connect(Number(new URL(url).port), "127.0.0.1");
    near.pipe(far).pipe(near);
    for (const end of [near, far]) end.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(() => server.close());
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Ends TLS with a certificate, reads what is asked, and asks another server for it. */
async function relay(url: string, tls: TlsPair): Promise<{ url: string; heard: string[] }> {
  const heard: string[] = [];
  const middle = await serve(
    [],
    (request, response) => {
      heard.push(request.url?.split("?")[0] ?? "");
      const { headers, method } = request;
      const sent = requestHttps(
        new URL(request.url ?? "", url),
        { ...{ headers, method }, rejectUnauthorized: false, agent: false },
        (answer) => {
          response.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.pipe(response);
        },
      );
      request.pipe(sent);
    },
    { key: tls.key, cert: pemOf(tls.certificate) },
  );
  open.push(middle.close);
  return { url: middle.url, heard };
}

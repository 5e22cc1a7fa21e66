import type { ServerResponse } from "node:http";
import { hexlify, id } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChatOptions } from "../src/client/chat/chatOptions.ts";
import { createHaca } from "../src/client/createHaca.ts";
import { servedChains } from "./support/chains.ts";
import { CHAIN_ID, ENCLAVE, OTHERS, PINS, TEXT } from "./support/chatNode.ts";
import type { Contracts } from "./support/fakeChain.ts";
import { type Entry, registryOf } from "./support/nodeRegistry.ts";
import { SealedNode } from "./support/sealedNode.ts";

const messages = [{ role: "user", content: "a secret question" }];
let node: SealedNode;
const start = servedChains();
beforeAll(async () => {
  node = await SealedNode.start();
});
beforeEach(() => node.reset());
afterAll(() => node.stop());

type Changes = Partial<Parameters<typeof createHaca>[0]>;
const clientOf = (changes: Changes = {}) =>
  createHaca({
    ...{ chainId: CHAIN_ID, pins: PINS, nodes: [node.url], channel: "oblivious", ...changes },
  });
const ask = (options: Partial<ChatOptions> = {}, changes: Changes = {}) =>
  clientOf(changes).chat({ model: "m", messages, ...options });

async function streamed(options: Partial<ChatOptions> = {}, changes: Changes = {}) {
  const texts: string[] = [];
  const stream = clientOf(changes).streamChat({ model: "m", messages, ...options });
  try {
    let next = await stream.next();
    for (; next.done !== true; next = await stream.next()) {
      texts.push(String(Reflect.get(next.value.choices[0]?.delta as object, "content") ?? ""));
    }
    return { text: texts.join(""), reply: next.value };
  } catch (error) {
    return { text: texts.join(""), error };
  }
}

/** A registry that has the enclave, its key and the key to seal to, as they are. */
const registered = (entry: Partial<Entry> = {}): Contracts => {
  const { current } = node.keys;
  const ohttpConfig = { ...current, registeredAt: 1 };
  return registryOf([
    { endpoint: "https://other.example" },
    {
      ...{ endpoint: node.url, teeId: ENCLAVE.teeId, publicKey: hexlify(ENCLAVE.signingKey) },
      ...{ ohttpConfig, ...entry },
    },
  ]);
};

describe("an oblivious request", () => {
  it("is answered, verified as always, and read by nobody on the way", async () => {
    const reply = await ask({ parameters: { temperature: 0.5 } });
    expect([reply.text, reply.verification]).toEqual([TEXT, "verified"]);
    expect(reply.receipt?.evidence.map(({ type }) => type)).toEqual(["attestation"]);
    const [asked, ...others] = node.asked;
    expect([asked?.path, others]).toEqual(["/v1/ohttp", []]);
    expect(asked?.body.toString("latin1")).not.toMatch(/secret|messages|temperature/);
    expect(Object.keys(asked?.headers ?? {})).not.toContain("haca-salt");
    expect(node.inner.asked[0]?.body).toBe(
      '{"messages":[{"content":"a secret question","role":"user"}],"model":"m","temperature":0.5}',
    );
  });

  it("is sealed anew each time, and the enclave's words are kept: the node is not asked for them again", async () => {
    const haca = clientOf();
    for (let count = 0; count < 2; count += 1) await haca.chat({ model: "m", messages });
    const [one, two] = node.asked.map(({ body }) => body.subarray(7, 39).toString("hex"));
    expect(one).not.toBe(two);
    expect(node.inner.documents).toBe(1);
  });

  it("goes by a relay, which is told the enclave, and not by it which is no relay of this machine", async () => {
    const rpcs = [await start({ contracts: registered() })];
    const relayed = { relay: node.url, rpcs, policy: { attestation: "registry" } } as const;
    expect((await ask({}, relayed)).text).toBe(TEXT);
    expect((await streamed({}, relayed)).text).toBe(TEXT);
    expect(node.asked.map(({ path }) => path)).toEqual(Array(2).fill("/api/v1/chat/ohttp"));
    const headers = node.asked.map(({ headers: sent }) => [
      sent["x-tee-id"],
      sent["x-ohttp-stream"],
    ]);
    const teeId = ENCLAVE.teeId.slice(2);
    expect(headers).toEqual([
      [teeId, undefined],
      [teeId, "true"],
    ]);
    expect(() => clientOf({ relay: "http://relay.example" })).toThrow(/spoken to by https/);
  });

  it("may be what its relay has paid for by its own channel, and is nobody's charge without a relay", async () => {
    const rpcs = [await start({ contracts: registered() })];
    const byRegistry = { rpcs, policy: { attestation: "registry" } } as const;
    const requester = `0x${"ab".repeat(20)}`;
    for (const charge of [{ requester }, { price: "1" }]) {
      node.inner.lies = { signed: (honest) => ({ ...honest, ...charge }) };
      expect((await ask({}, { ...byRegistry, relay: node.url })).verification).toBe("verified");
      await expect(ask({}, byRegistry)).rejects.toMatchObject({
        ...{ code: "answer.unexpected", details: { field: Object.keys(charge)[0] } },
      });
    }
  });

  it("streams by chunks, before the end too where that is wanted, as by an attested channel", async () => {
    const signed = await streamed();
    expect([signed.text, signed.reply?.verification]).toEqual([TEXT, "verified"]);
    const released = await streamed({ release: "channel" });
    expect([released.text, released.reply?.verification]).toEqual([TEXT, "verified"]);
  });

  it("asks nobody but endpoints and the relay, by the registry's word", async () => {
    const rpcs = [await start({ contracts: registered() })];
    const reply = await ask({}, { rpcs, policy: { attestation: "registry" } });
    expect([reply.text, reply.verification]).toEqual([TEXT, "verified"]);
    expect(node.inner.documents).toBe(0);
  });

  it("is sealed once more where the enclave has another key by now, and not without end", async () => {
    const haca = clientOf();
    await haca.chat({ model: "m", messages });
    node.keys = await SealedNode.makeKeys();
    expect((await haca.chat({ model: "m", messages })).text).toBe(TEXT);
    expect(node.asked).toHaveLength(3);
    node.lies = { instead: (response) => response.writeHead(400).end('{"error":"malformed"}') };
    await expect(haca.chat({ model: "m", messages })).rejects.toMatchObject({
      ...{ code: "node.refused", details: { status: 400 } },
    });
    expect(node.asked).toHaveLength(4);
  });

  it("has its refusals sealed, too, and takes those of a relay as refusals", async () => {
    node.inner.lies = {
      answer: () => ({ status: 429, body: { error: { code: "busy", message: "later" } } }),
    };
    const sealed = { code: "node.refused", details: { status: 429, code: "busy" } };
    await expect(ask()).rejects.toMatchObject(sealed);
    node.lies = { instead: (response) => response.writeHead(503).end("{}") };
    await expect(ask()).rejects.toMatchObject({ code: "node.refused", details: { status: 503 } });
  });
});

describe("whoever is on the way", () => {
  const NOT_SEALED = { code: "node.notSealed" };
  let earlier: Buffer;

  it("cannot swap an answer for that to another request, or bring one again", async () => {
    node.lies = { sealed: (bytes) => (earlier = bytes) };
    await ask();
    node.lies = { sealed: () => earlier };
    await expect(ask()).rejects.toMatchObject(NOT_SEALED);
    // A request that is brought again is answered to nobody.
    const before = node.asked[0];
    node.lies = {};
    const again = await fetch(`${node.url}/v1/ohttp`, {
      ...{ method: "POST", body: Uint8Array.from(before?.body ?? []) },
    });
    expect(again.status).toBe(400);
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ["nothing", () => Buffer.alloc(0)],
    ["the nonce alone", (bytes) => bytes.subarray(0, 32)],
    ["all but the last byte", (bytes) => bytes.subarray(0, -1)],
    ["a byte more", (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
    ["another nonce", (bytes) => Buffer.from(bytes.with(0, (bytes[0] ?? 0) ^ 1))],
    ["another byte", (bytes) => Buffer.from(bytes.with(40, (bytes[40] ?? 0) ^ 1))],
    ["text that is not sealed", () => Buffer.from('{"choices":[]}')],
  ])("has %s for an answer taken by nobody", async (_, sealed) => {
    node.lies = { sealed };
    await expect(ask()).rejects.toMatchObject(NOT_SEALED);
    const { error } = await streamed();
    expect(error).toMatchObject(NOT_SEALED);
  });

  /** Chunks with their lengths, behind the nonce. */
  function piecesOf(bytes: Buffer): { nonce: Buffer; chunks: Buffer[] } {
    const chunks: Buffer[] = [];
    let at = 32;
    for (let length = -1; length !== 0; ) {
      const size = 1 << ((bytes[at] ?? 0) >> 6);
      length = [...bytes.subarray(at, at + size)].reduce((sum, byte) => sum * 256 + byte, 0);
      length -= ((bytes[at] ?? 0) >> 6) << 6 ? ((bytes[at] ?? 0) >> 6) * 64 * 256 ** (size - 1) : 0;
      const end = length === 0 ? bytes.length : at + size + length;
      chunks.push(bytes.subarray(at, end));
      at = end;
    }
    return { nonce: bytes.subarray(0, 32), chunks };
  }

  it.each<[string, (chunks: Buffer[]) => Buffer[]]>([
    ["without the final chunk", (chunks) => chunks.slice(0, -1)],
    ["with a final chunk that is cut off", (chunks) => [...chunks.slice(0, -1), Buffer.of(0)]],
    ["that leaves out a chunk", (chunks) => chunks.toSpliced(1, 1)],
    ["in another order", ([first, second, ...rest]) => [second, first, ...rest] as Buffer[]],
    ["with a chunk twice", ([first, ...rest]) => [first, first, ...rest] as Buffer[]],
    ["with the final chunk twice", (chunks) => [...chunks, chunks.at(-1) ?? Buffer.of()]],
    [
      "whose last chunk is called the final one",
      (chunks) => {
        const last = chunks.at(-2) ?? Buffer.of();
        return [...chunks.slice(0, -2), Buffer.concat([Buffer.of(0), last.subarray(2)])];
      },
    ],
    ["whose chunk says that it never ends", () => [Buffer.from("ff".repeat(8), "hex")]],
  ])("has a stream %s taken by nobody, also where texts are released", async (_, change) => {
    for (const release of ["signed", "channel"] as const) {
      node.lies = {
        sealed(bytes) {
          const { chunks, nonce } = piecesOf(bytes);
          return Buffer.concat([nonce, ...change(chunks)]);
        },
      };
      const { error, reply } = await streamed({ release });
      expect([reply, error]).toMatchObject([undefined, NOT_SEALED]);
    }
  });

  it("cannot say that a whole answer is a stream, or a stream a whole answer", async () => {
    const other: Record<string, string> = {
      "message/ohttp-res": "message/ohttp-chunked-res",
      "message/ohttp-chunked-res": "message/ohttp-res",
    };
    const as = (type: (of: string) => string) => {
      node.lies = { type };
    };
    as((of) => other[of] ?? "");
    await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/^node\./) });
    expect((await streamed()).error).toMatchObject(NOT_SEALED);
    as(() => "application/json");
    await expect(ask()).rejects.toMatchObject(NOT_SEALED);
  });

  it("cannot make anybody read without an end", async () => {
    const endless = (type: string) => (response: ServerResponse) => {
      response.setHeader("content-type", type);
      const more = (): void => {
        while (response.write(Buffer.alloc(1 << 16)));
      };
      response.on("drain", more);
      more();
    };
    const limits = { answerBytes: 200_000 };
    for (const type of ["message/ohttp-res", "message/ohttp-chunked-res"]) {
      node.lies = { instead: endless(type) };
      await expect(ask({}, { limits })).rejects.toMatchObject(NOT_SEALED);
      expect((await streamed({}, { limits })).error).toMatchObject(NOT_SEALED);
    }
  });
});

describe("a key", () => {
  const config = (change: Record<string, unknown>) => (shown: Record<string, unknown>) => ({
    ...shown,
    ...change,
  });
  const other = "11".repeat(32);

  it.each<[string, SealedNode["lies"], string]>([
    ["of another enclave's signature", { signs: OTHERS.same }, "node.badSealingKey"],
    ["that was not signed", { config: config({ public_key: other }) }, "node.badSealingKey"],
    ["under another number", { config: config({ key_id: 2 }) }, "node.badSealingKey"],
    ["of another suite", { config: config({ aead_id: 1 }) }, "node.badSealingKey"],
    ["whose form is another one", { config: config({ key_config: "AQ==" }) }, "node.badSealingKey"],
    ["without a signature", { config: config({ signature: undefined }) }, "node.badSealingKey"],
    ["that there is not", { config: () => null }, "node.noSealingKey"],
  ])("%s is sealed to by nobody", async (_, lies, code) => {
    node.lies = lies;
    await expect(ask()).rejects.toMatchObject({ code });
    expect(node.asked).toEqual([]);
  });

  it("of an enclave that is not pinned is sealed to by nobody, whoever has signed it", async () => {
    node.inner.lies = { shows: OTHERS.image };
    node.lies = { signs: OTHERS.image };
    await expect(ask()).rejects.toMatchObject({ code: "answer.notVerified" });
    expect(node.asked).toEqual([]);
  });

  it.each<[string, Partial<Entry>, string]>([
    ["has no such node", { endpoint: "https://elsewhere.example" }, "node.notActive"],
    ["has it as not active", { isActive: false }, "node.notActive"],
    ["has no key", { ohttpConfig: undefined }, "node.noSealingKey"],
    ["shows the key of another enclave", { publicKey: "0x1234" }, "node.badSealingKey"],
  ])("is of nobody where the registry %s", async (_, entry, code) => {
    const rpcs = [await start({ contracts: registered(entry) })];
    const policy = { attestation: "registry" } as const;
    await expect(ask({}, { rpcs, policy })).rejects.toMatchObject({ code });
    expect(node.asked).toEqual([]);
  });

  it("is of nobody where endpoints do not agree on it", async () => {
    const lied = { ...node.keys.current, publicKey: id("another key"), registeredAt: 1 };
    const rpcs = [
      await start({ contracts: registered() }),
      await start({ contracts: registered({ ohttpConfig: lied }) }),
    ];
    const policy = { attestation: "registry" } as const;
    await expect(ask({}, { rpcs, policy })).rejects.toMatchObject({ code: "chain.disagreement" });
    expect(node.asked).toEqual([]);
  });
});

describe("options of oblivious requests", () => {
  it.each<[Partial<ChatOptions>, Changes, RegExp]>([
    [{ salt: `0x${"11".repeat(32)}` }, {}, /^salt: cannot be given/],
    [{ idempotencyKey: "k".repeat(16) }, {}, /^idempotencyKey: cannot be given/],
    [{ parameters: { user: "u" } }, {}, /^parameters\.user: is thrown away/],
    [{ verify: "off" }, {}, /^verify: "off" attests nothing/],
    [{ channel: "secret" as never }, {}, /^channel: must be "attested" or "oblivious"/],
    [{}, { payer: { chainId: String(CHAIN_ID), maxPerCall: 0 } as never }, /^payer: pays for no/],
  ])("%j %j are refused", async (options, changes, words) => {
    await expect(ask(options, changes)).rejects.toThrow(words);
    expect(node.asked).toEqual([]);
  });

  it("the node's lies are found as without a seal: another model, an old answer, a price", async () => {
    for (const signed of [{ modelVersion: id("other") }, { timestamp: "1" }, { price: "1" }]) {
      node.inner.lies = { signed: (message) => ({ ...message, ...signed }) };
      await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/^answer\./) });
    }
  });
});

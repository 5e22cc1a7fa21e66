import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChatOptions } from "../src/client/chat/chatOptions.ts";
import { createHaca, type Haca } from "../src/client/createHaca.ts";
import { CHAIN_ID, ChatNode, type Lies, PINS, TEXT } from "./support/chatNode.ts";
import { serveChain } from "./support/fakeChain.ts";

const messages = [{ role: "user", content: "Grüße 😀" }];
let node: ChatNode;
beforeAll(async () => {
  node = await ChatNode.start();
});
beforeEach(() => node.reset());
afterAll(() => node.stop());

const clientOf = (changes: Partial<Parameters<typeof createHaca>[0]> = {}): Haca =>
  createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url], ...changes });
const ask = (options: Partial<ChatOptions> = {}) =>
  clientOf().chat({ model: "m", messages, ...options });

describe("what the caller asks for", () => {
  it("is taken unverified where that is spelled out, and marked", async () => {
    node.lies = { answer: ({ haca: _haca, ...answer }) => answer };
    const reply = await createHaca({ chainId: 1 }).chat({
      model: "m",
      messages,
      nodes: [node.url],
      verify: "off",
    });
    expect(reply).toMatchObject({ verification: "off", text: TEXT, receipt: null, lines: [] });
  });

  it("takes the registry's word where the policy says so, and asks for no document", async () => {
    let wasInService = true;
    const registry = `0x${"ee".repeat(20)}`;
    const chain = await serveChain({
      time: BigInt(Math.floor(Date.now() / 1000)),
      contracts: {
        ...{ teeRegistry: () => [registry], modelRegistry: () => [registry] },
        ...{ wasInService: () => [wasInService], isTEEActive: () => [false] },
        settlementData: () => [1, registry, 2, 1, 0],
        ...{ isSettled: () => [false], digestOf: () => [`0x${"00".repeat(32)}`] },
      },
    });
    try {
      const { images: _images, ...pins } = PINS;
      const policy = { attestation: "registry" } as const;
      const asking = clientOf({ rpcs: [chain.url], pins, policy });
      node.lies = { document: () => new Uint8Array() };
      const reply = await asking.chat({ model: "m", messages });
      expect([reply.text, reply.receipt?.core.attestation]).toEqual([TEXT, null]);
      wasInService = false;
      await expect(asking.chat({ model: "m", messages })).rejects.toMatchObject({
        ...{ code: "answer.notVerified", details: { missing: ["validWhenAnswered"] } },
      });
    } finally {
      chain.close();
    }
  });

  it("goes to another node where one is not there or busy, and no further than that", async () => {
    const gone = await ChatNode.start();
    const { url } = gone;
    gone.stop();
    const nodes = [url, url, node.url];
    expect((await ask({ nodes })).text).toBe(TEXT);
    await expect(ask({ nodes: [url, url, url] })).rejects.toMatchObject({
      code: "node.unreachable",
    });
    const other = await ChatNode.start();
    try {
      for (const [status, code] of [
        [503, undefined],
        [400, "node.refused"],
        [402, "payment.required"],
      ] as const) {
        const instead: NonNullable<Lies["instead"]> = (response) =>
          response.writeHead(status).end("{}");
        [node.lies, other.lies] = [{ instead }, { instead }];
        const before = node.asked.length + other.asked.length;
        await expect(ask({ nodes: [node.url, other.url] })).rejects.toMatchObject({
          code: code ?? "node.refused",
        });
        expect(node.asked.length + other.asked.length - before).toBe(status === 503 ? 2 : 1);
      }
    } finally {
      other.stop();
    }
  });

  it("is let go of with the caller's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    node.lies = { instead: () => controller.abort(reason) };
    await expect(ask({ signal: controller.signal })).rejects.toBe(reason);
  });

  it.each<[Partial<ChatOptions> & Record<string, unknown>, string]>([
    [{ modle: "m" }, "modle: there is no such option; there are model, messages,"],
    [{ model: "n" }, 'model: "n" is not pinned'],
    [{ messages: [] }, "messages: must be"],
    [
      { messages: [{ role: "user", content: "\ud83d" }] },
      "messages: a text has half of a surrogate pair",
    ],
    [{ parameters: { stream: true } }, "parameters.stream: is an option of its own"],
    [{ parameters: { n: 1n } }, "parameters: messages and parameters must be values of JSON"],
    [{ salt: "0x12" }, "salt: must be 32 bytes"],
    [{ idempotencyKey: "short" }, "idempotencyKey: must be 16 to 255"],
    [{ verify: "no" as "off" }, 'verify: must be "off", or left out'],
    [{ nodes: [] }, "nodes: no node was given"],
    [{ nodes: ["http://node.example"] }, "node.example: a node is spoken to by https"],
    [{ policy: { attestation: "registry" } }, "rpcs: none was given"],
  ])("is refused before anybody hears of it (%#)", async (options, message) => {
    await expect(ask(options)).rejects.toThrow(message);
    expect(node.asked).toEqual([]);
  });

  it.each<[object, string]>([
    [{ chainId: "x" }, "chainId: must be a whole number"],
    [{ rpc: [] }, "rpc: there is no such option"],
    [{ rpcs: ["x"] }, "rpcs: must be addresses"],
    [{ limits: { nodes: 0 } }, "limits.nodes: must be a whole number above 0"],
    [{ limits: { node: 1 } }, "node: there is no such option"],
  ])("of a client: %j is refused", (changes, message) => {
    expect(() => clientOf(changes)).toThrow(message);
  });

  it("needs pins: of this chain, and of images", async () => {
    await expect(clientOf({ chainId: 1 }).chat({ model: "m", messages })).rejects.toThrow(
      "pins.settlements: none is pinned",
    );
    await expect(
      clientOf({ pins: { ...PINS, images: [] } }).chat({ model: "m", messages }),
    ).rejects.toThrow("pins.images: no image");
  });
});

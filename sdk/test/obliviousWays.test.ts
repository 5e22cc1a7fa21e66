import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { hexlify } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { ChatOptions } from "../src/client/chat/chatOptions.ts";
import { readClient } from "../src/client/client.ts";
import { createHaca } from "../src/client/createHaca.ts";
import { latest } from "../src/client/nodes/registryNodes.ts";
import { seal } from "../src/client/seal.ts";
import { parseReceipt } from "../src/receipt/parseReceipt.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { servedChains } from "./support/chains.ts";
import { CHAIN_ID, ENCLAVE, OTHERS, PINS, TEXT } from "./support/chatNode.ts";
import type { Contracts } from "./support/fakeChain.ts";
import { type Entry, registryOf } from "./support/nodeRegistry.ts";
import { SealedNode } from "./support/sealedNode.ts";

const messages = [{ role: "user", content: "a secret question" }];
const BY_REGISTRY = { attestation: "registry" } as const;
let node: SealedNode;
/** Of enclaves that others have registered at the node's address. */
let claims: Entry[];
const start = servedChains();
beforeAll(async () => {
  node = await SealedNode.start();
  claims = await Promise.all(
    [OTHERS.same, OTHERS.root].map(async (enclave, index) => ({
      ...{ teeId: enclave.teeId, publicKey: hexlify(enclave.signingKey), endpoint: node.url },
      operator: `0x${String(7 + index).repeat(40)}`,
      ohttpConfig: { ...(await SealedNode.makeKeys()).current, registeredAt: 1 },
    })),
  );
});
beforeEach(() => node.reset());
afterAll(() => node.stop());

type Changes = Partial<Parameters<typeof createHaca>[0]>;
const optionsOf = (changes: Changes = {}) => ({
  ...{ chainId: CHAIN_ID, pins: PINS, nodes: [node.url], channel: "oblivious" as const },
  ...changes,
});
const clientOf = (changes: Changes = {}) => createHaca(optionsOf(changes));
const question = (options: Partial<ChatOptions> = {}) => ({ model: "m", messages, ...options });

const own = (): Entry => ({
  ...{ endpoint: node.url, teeId: ENCLAVE.teeId, publicKey: hexlify(ENCLAVE.signingKey) },
  ohttpConfig: { ...node.keys.current, registeredAt: 1 },
});
const withEntries = async (...entries: Entry[]) => {
  const contracts: Contracts = registryOf(entries);
  return { rpcs: [await start({ contracts })], policy: BY_REGISTRY };
};
/** What the node itself was asked for, by whoever asks. */
const seen = () => [node.inner.keys, node.inner.documents, node.asked.length];

describe("a relay", () => {
  const relay = () => node.url;
  it("brings nothing where the node would be asked for its key by the client itself", async () => {
    const haca = clientOf({ relay: relay() });
    const refused = { code: "option.wrong", details: { option: "policy.attestation" } };
    await expect(haca.chat(question())).rejects.toMatchObject(refused);
    const { rpcs } = await withEntries(own());
    const direct = question({ policy: { attestation: "direct" } });
    const other = clientOf({ relay: relay(), rpcs, policy: BY_REGISTRY });
    await expect(other.chat(direct)).rejects.toMatchObject(refused);
    expect(seen()).toEqual([0, 0, 0]);
  });

  it("gets nobody to ask the node by a lie that the key is another one", async () => {
    const haca = clientOf({ relay: relay(), ...(await withEntries(own())) });
    await haca.chat(question());
    node.lies = { instead: (response) => response.writeHead(400).end("{}") };
    await expect(haca.chat(question())).rejects.toMatchObject({ code: "node.refused" });
    expect(seen()).toEqual([0, 0, 2]);
  });

  it("is never left out in silence", async () => {
    const changes = { relay: relay(), ...(await withEntries(own())) };
    const refused = { code: "option.wrong", details: { option: "relay" } };
    const plain = createHaca({ ...optionsOf(changes), channel: undefined } as never);
    await expect(plain.chat(question())).rejects.toMatchObject(refused);
    const attested = question({ channel: "attested" });
    await expect(clientOf(changes).chat(attested)).rejects.toMatchObject(refused);
    expect((await plain.chat(question({ channel: "oblivious" }))).text).toBe(TEXT);
    await expect(plain.infer({ model: "m", input: [1] })).rejects.toMatchObject(refused);
  });
});

describe("a client whose requests are oblivious", () => {
  it("asks nodes for nothing else: no evidence, no inference, no look at how fast they are", async () => {
    const { receipt } = await clientOf().chat(question());
    const bare = parseReceipt(serialiseReceipt(receipt as NonNullable<typeof receipt>));
    node.reset();
    const { rpcs } = await withEntries(own());
    const client = readClient(optionsOf({ rpcs }));
    const haca = clientOf({ rpcs, allowLocalNodes: true });
    for (const asked of [
      seal({ client, receipt: bare, node: new URL(node.url) }),
      haca.infer({ model: "m", input: [1] }),
      haca.nodes({ isPinged: true }),
    ]) {
      await expect(asked).rejects.toMatchObject({
        ...{ code: "option.wrong", details: { option: "channel" } },
      });
    }
    expect(seen()).toEqual([0, 0, 0]);
    expect((await haca.nodes()).nodes).toHaveLength(1);
  });

  it("is told before anybody is asked that it cannot seal, or what is too long", async () => {
    const refused = { code: "option.wrong", details: { option: "channel" } };
    const lacking = vi.spyOn(crypto.subtle, "generateKey").mockRejectedValue(new Error("no curve"));
    onTestFinished(() => lacking.mockRestore());
    await expect(clientOf().chat(question())).rejects.toMatchObject(refused);
    lacking.mockRestore();
    const long = [{ role: "user", content: "é".repeat(262_100) }];
    await expect(clientOf().chat(question({ messages: long }))).rejects.toMatchObject({
      ...{ code: "option.wrong", message: expect.stringMatching(/^messages: .* 524233 bytes/) },
    });
    expect(seen()).toEqual([0, 0, 0]);
  });

  it("is told so, too, where what seals cannot be loaded", async () => {
    onTestFinished(() => {
      vi.doUnmock("../src/client/oblivious/sealRequest.ts");
      vi.resetModules();
    });
    vi.resetModules();
    vi.doMock("../src/client/oblivious/sealRequest.ts", () => {
      throw new Error("no such chunk");
    });
    const fresh = await import("../src/client/createHaca.ts");
    const asked = fresh.createHaca(optionsOf()).chat(question());
    await expect(asked).rejects.toMatchObject({ code: "option.wrong" });
    expect(seen()).toEqual([0, 0, 0]);
  });

  it("lets go of a refusal before it seals anew", async () => {
    const haca = clientOf();
    await haca.chat(question());
    node.keys = await SealedNode.makeKeys();
    let ended: Promise<unknown> | undefined;
    node.lies = {
      instead(response: ServerResponse) {
        ended = once(response, "close");
        response.writeHead(400).write("and so on");
        node.lies = {};
      },
    };
    expect((await haca.chat(question())).text).toBe(TEXT);
    await ended;
  });

  it("says that an answer takes too long, and not that it is not sealed", async () => {
    for (const type of ["message/ohttp-res", "message/ohttp-chunked-res"]) {
      node.lies = {
        instead: (response) => response.writeHead(200, { "content-type": type }).flushHeaders(),
      };
      const haca = clientOf({ limits: { answerMs: 50 } });
      await expect(haca.chat(question())).rejects.toMatchObject({ code: "node.timeout" });
    }
  });

  it("hears of a busy node by a stream, too, whenever texts are released", async () => {
    node.inner.lies = {
      instead: (response) => response.writeHead(429).end('{"error":{"code":"busy"}}'),
    };
    for (const release of ["signed", "channel"] as const) {
      const stream = clientOf().streamChat(question({ release }));
      await expect(stream.next()).rejects.toMatchObject({
        ...{ code: "node.refused", details: { status: 429, code: "busy" } },
      });
    }
  });
});

describe("enclaves that others register at a node's address", () => {
  it("cost a request each, once, until the one that is there has opened one", async () => {
    const entries = [own(), ...claims];
    const haca = clientOf(await withEntries(...entries));
    expect((await haca.chat(question())).text).toBe(TEXT);
    expect(node.asked).toHaveLength(3);
    expect((await haca.chat(question())).text).toBe(TEXT);
    expect(node.asked).toHaveLength(4);
    const stream = clientOf(await withEntries(...entries)).streamChat(
      question({ release: "channel" }),
    );
    expect((await stream.next()).done).toBe(false);
    await stream.return(undefined as never);
  });

  it("are each asked once where none is there", async () => {
    const haca = clientOf(await withEntries(...claims));
    await expect(haca.chat(question())).rejects.toMatchObject({
      ...{ code: "node.refused", details: { status: 400 } },
    });
    expect(node.asked).toHaveLength(2);
  });

  it("are nobody's way where they have no key, and one that opens is not left for its refusal", async () => {
    const [first = own()] = claims;
    const keyless = { ...first, ohttpConfig: undefined };
    const haca = clientOf(await withEntries(own(), keyless));
    expect((await haca.chat(question())).text).toBe(TEXT);
    expect(node.asked).toHaveLength(1);
    node.inner.lies = {
      answer: () => ({ status: 400, body: { error: { code: "model.unknown", message: "no" } } }),
    };
    const both = clientOf(await withEntries(first, own()));
    await expect(both.chat(question())).rejects.toMatchObject({
      ...{ code: "node.refused", details: { status: 400, code: "model.unknown" } },
    });
    expect(node.asked).toHaveLength(2);
  });

  it("are looked for among all, of very many among the latest", () => {
    expect(latest(300)).toEqual(Array.from({ length: 300 }, (_, index) => index));
    expect([latest(0), latest(1_500).length, latest(1_500).at(-1)]).toEqual([[], 1_000, 1_499]);
  });

  it("are not looked for where the node was drawn, whose enclave is known by its id", async () => {
    const { nodeAt, ...contracts } = registryOf([own(), { endpoint: "https://other.example" }]);
    let looks = 0;
    const counted: Contracts = {
      ...contracts,
      nodeAt: (...of) => {
        looks += 1;
        return nodeAt?.(...of) ?? [];
      },
      isTEEActive: (teeId) => [teeId === ENCLAVE.teeId],
    };
    const registry = { rpcs: [await start({ contracts: counted })], policy: BY_REGISTRY };
    const haca = clientOf({ ...registry, nodes: [], allowLocalNodes: true });
    expect((await haca.chat(question())).text).toBe(TEXT);
    expect([looks, node.asked.length]).toEqual([2, 1]);
  });

  it("are nobody's way any more where they were active when they were drawn, and are not now", async () => {
    let looks = 0;
    const contracts: Contracts = {
      ...registryOf([own()]),
      isTEEActive: () => {
        looks += 1;
        return [looks === 1];
      },
    };
    const registry = { rpcs: [await start({ contracts })], policy: BY_REGISTRY };
    const haca = clientOf({ ...registry, nodes: [], allowLocalNodes: true });
    await expect(haca.chat(question())).rejects.toMatchObject({ code: "node.notActive" });
    expect(node.asked).toEqual([]);
  });
});

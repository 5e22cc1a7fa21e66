import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChatOptions } from "../src/client/chat/chatOptions.ts";
import { createHaca, type Haca } from "../src/client/createHaca.ts";
import { isVerified } from "../src/isVerified.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { verify } from "../src/verify.ts";
import {
  type Answer,
  CHAIN_ID,
  ChatNode,
  DONE,
  eventOf,
  type Lies,
  OTHERS,
  PINS,
  TEXT,
} from "./support/chatNode.ts";

const messages = [{ role: "user", content: "Grüße 😀" }];
let node: ChatNode;
let haca: Haca;
const clientOf = (changes: Partial<Parameters<typeof createHaca>[0]> = {}): Haca =>
  createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url], ...changes });

beforeAll(async () => {
  node = await ChatNode.start();
  haca = clientOf();
});
beforeEach(() => node.reset());
afterAll(() => node.stop());

const ask = (options: Partial<ChatOptions> = {}) => haca.chat({ model: "m", messages, ...options });

/** All that a consumer of a stream was given, and the error that ended it. */
async function streamed(options: Partial<ChatOptions> = {}) {
  const chunks: unknown[] = [];
  try {
    for await (const chunk of haca.streamChat({ model: "m", messages, ...options }))
      chunks.push(chunk);
  } catch (error) {
    return { chunks, error };
  }
  return { chunks, error: undefined };
}

describe("a node that was asked before", () => {
  it("is asked for its document again, and not for its key, until it has another one", async () => {
    const own = clientOf();
    const once = () => own.chat({ model: "m", messages });
    for (let count = 0; count < 2; count += 1) expect((await once()).text).toBe(TEXT);
    expect([node.documents, node.keys]).toEqual([2, 1]);
    node.lies = { enclave: OTHERS.same };
    const { receipt, verification } = await once();
    expect(verification).toBe("verified");
    expect(receipt?.core.message.teeId).toBe(OTHERS.same.teeId);
    await once();
    expect(node.keys).toBe(2);
  });

  it("is believed no more than before: another key, or another image, is no verified answer", async () => {
    for (const lies of [
      { shows: OTHERS.same },
      { enclave: OTHERS.image },
      { enclave: OTHERS.root },
    ]) {
      const own = clientOf();
      await own.chat({ model: "m", messages });
      node.lies = lies;
      await expect(own.chat({ model: "m", messages })).rejects.toMatchObject({
        code: "answer.notVerified",
      });
      node.lies = {};
    }
  });
});

describe("an honest node's answer", () => {
  it("is verified, comes with a receipt that anybody can check, and has nothing that was not signed", async () => {
    const parameters = { temperature: 0.5, max_tokens: undefined };
    const reply = await ask({ parameters });
    expect([reply.text, reply.verification]).toEqual([TEXT, "verified"]);
    expect(reply.answer).not.toHaveProperty("surprise");
    expect(reply.answer.id).toBe(`chatcmpl-${reply.receipt?.core.message.requestId}`);
    if (reply.receipt === null) throw new Error("no receipt");
    expect(
      isVerified(await verify(serialiseReceipt(reply.receipt), { pins: PINS, model: "m" })),
    ).toBe(true);
    expect(node.asked[0]?.body).toBe(
      `{"messages":[{"content":"Grüße 😀","role":"user"}],"model":"m","temperature":0.5}`,
    );
  });

  it("has a salt of its own each time; of an idempotency key, or as given, the same", async () => {
    const idempotencyKey = "k".repeat(16);
    const salt = `0x${"5a".repeat(32)}`;
    for (const options of [{}, {}, { idempotencyKey }, { idempotencyKey }, { salt }])
      await ask(options);
    const salts = node.asked.map(({ headers }) => headers["haca-salt"]);
    expect(new Set(salts).size).toBe(4);
    expect([salts[2], salts[4]]).toEqual([salts[3], salt]);
    expect(node.asked.map(({ headers }) => headers["idempotency-key"])).toEqual([
      undefined,
      undefined,
      idempotencyKey,
      idempotencyKey,
      undefined,
    ]);
  });

  it("streams: the same answer, in frames that come once it is verified", async () => {
    const { chunks, error } = await streamed();
    expect(error).toBeUndefined();
    expect(chunks).toMatchObject([
      { choices: [{ index: 0, delta: { role: "assistant", content: TEXT }, finish_reason: null }] },
      {
        choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
        usage: { total_tokens: 5 },
      },
    ]);
    expect(JSON.parse(node.asked[0]?.body ?? "")).toMatchObject({ stream: true });
  });

  it("is read whatever the stream's line ends, comments and pieces", async () => {
    node.lies = {
      events: (events) => [
        ": hello\r\n\r\n",
        ...events.map((event) => event.replaceAll("\n", "\r\n")),
      ],
    };
    expect((await streamed()).error).toBeUndefined();
  });
});

const WORD = `0x${"ab".repeat(32)}`;
const ADDRESS = `0x${"77".repeat(20)}`;
const inMessage = (field: string, value: string): Lies => ({
  answer: (answer) => ({
    ...answer,
    haca: { ...answer.haca, message: { ...answer.haca.message, [field]: value } },
  }),
});
const inHaca = (changes: object): Lies => ({
  answer: (answer) => ({ ...answer, haca: { ...answer.haca, ...changes } }),
});
const signing = (changes: Record<string, string>): Lies => ({
  signed: (message) => ({ ...message, ...changes }),
});
const later = String(Math.floor(Date.now() / 1000) + 3600);
const earlier = String(Math.floor(Date.now() / 1000) - 3600);

/** Each lie with what it is refused for: lines that are missing, or a field that was not asked for. */
const LIES: readonly (readonly [name: string, lies: Lies, code: string, because: unknown])[] = [
  ...(
    [
      ["modelVersion", WORD, "model"],
      ["inputHash", WORD, "input"],
      ["outputHash", WORD, "output"],
      ["requester", ADDRESS, "signature"],
      ["requestId", WORD, "request"],
      ["price", "1", "signature"],
      ["timestamp", earlier, "signature"],
      ["teeId", WORD, "key"],
    ] as const
  ).map(
    ([field, value, check]) =>
      [`says another ${field}`, inMessage(field, value), "answer.notVerified", check] as const,
  ),
  [
    "has its enclave sign another model",
    signing({ modelVersion: WORD }),
    "answer.notVerified",
    "model",
  ],
  [
    "has its enclave sign another request",
    signing({ inputHash: WORD }),
    "answer.notVerified",
    "input",
  ],
  [
    "has its enclave sign another answer",
    signing({ outputHash: WORD }),
    "answer.notVerified",
    "output",
  ],
  ["answers from the future", signing({ timestamp: later }), "answer.notVerified", "time"],
  ["answers from the past", signing({ timestamp: earlier }), "answer.unexpected", "timestamp"],
  ["charges for it", signing({ price: "1" }), "answer.unexpected", "price"],
  ["charges somebody", signing({ requester: ADDRESS }), "answer.unexpected", "requester"],
  [
    "has the request of another enclave",
    signing({ requestId: WORD }),
    "answer.notVerified",
    "request",
  ],
  ["names another chain", inHaca({ chainId: "1" }), "answer.notVerified", "contract"],
  ["names another contract", inHaca({ settlement: ADDRESS }), "answer.notVerified", "contract"],
  ["says another salt", inHaca({ salt: WORD }), "answer.notVerified", "input"],
  ["has no signature", inHaca({ signature: "0x" }), "format.malformed", undefined],
  ["has another profile", inHaca({ profile: "legacy" }), "format.malformed", undefined],
  [
    "has no signed result",
    { answer: ({ haca: _haca, ...answer }) => answer },
    "format.malformed",
    undefined,
  ],
  ["shows another enclave's key", { shows: OTHERS.same }, "answer.notVerified", "key"],
  ["shows another image", { shows: OTHERS.image }, "answer.notVerified", "attestation"],
  ["shows another root", { shows: OTHERS.root }, "answer.notVerified", "attestation"],
  [
    "changes the document",
    { document: (document) => document.with(-1, (document.at(-1) ?? 0) ^ 1) },
    "answer.notVerified",
    "attestation",
  ],
];

describe("a node that lies", () => {
  it.each(LIES)(
    "%s: is refused, in one piece and as a stream, and nothing is released",
    async (_name, lies, code, because) => {
      node.lies = lies;
      const error = await ask().catch((thrown: unknown) => thrown);
      const stream = await streamed();
      for (const thrown of [error, stream.error]) {
        expect(thrown).toMatchObject({ code });
        const { details } = thrown as { details: { missing?: unknown; field?: unknown } };
        if (code === "answer.notVerified") expect(details.missing).toContain(because);
        if (code === "answer.unexpected") expect(details.field).toBe(because);
        expect(String(thrown)).not.toContain(TEXT);
      }
      expect(stream.chunks).toEqual([]);
    },
  );

  it.each<[string, (answer: Answer) => unknown]>([
    [
      "content",
      (answer) => ({
        ...answer,
        choices: [{ ...answer.choices[0], message: { role: "assistant", content: "no" } }],
      }),
    ],
    [
      "finish_reason",
      (answer) => ({ ...answer, choices: [{ ...answer.choices[0], finish_reason: "length" }] }),
    ],
    [
      "choices",
      (answer) => ({ ...answer, choices: [...answer.choices, { ...answer.choices[0], index: 1 }] }),
    ],
    ["model", (answer) => ({ ...answer, model: "other" })],
    ["usage", (answer) => ({ ...answer, usage: null })],
    ["system_fingerprint", (answer) => ({ ...answer, system_fingerprint: "fp" })],
  ])("answers with another %s than was signed", async (_field, answer) => {
    node.lies = { answer };
    await expect(ask()).rejects.toMatchObject({
      ...{ code: "answer.notVerified", details: { missing: ["output"] } },
    });
  });

  it("shows a document that was made for another question", async () => {
    let first: Uint8Array | undefined;
    node.lies = { document: (document) => (first ??= document) };
    await ask();
    await expect(ask()).rejects.toMatchObject({ code: "node.staleDocument" });
  });

  it("answers with what it answered another request", async () => {
    let first: Answer | undefined;
    node.lies = { answer: (answer) => (first ??= answer) };
    const salt = WORD;
    await ask({ salt });
    await expect(ask()).rejects.toMatchObject({
      ...{ code: "answer.unexpected", details: { field: "salt" } },
    });
    await expect(ask({ salt, parameters: { seed: 1 } })).rejects.toMatchObject({
      ...{ code: "answer.notVerified", details: { missing: ["input"] } },
    });
  });

  it.each<[string, (events: string[]) => string[], string]>([
    ["ends before its end", (events) => events.slice(0, -1), "node.brokenOff"],
    ["ends before the signed frame", (events) => events.slice(0, 1), "node.brokenOff"],
    ["leaves the signed frame out", (events) => events.toSpliced(-2, 1), "format.malformed"],
    ["leaves a frame out", (events) => events.toSpliced(1, 1), "answer.notVerified"],
    ["says a frame twice", (events) => [...events.slice(0, 1), ...events], "answer.notVerified"],
    [
      "has a second signed frame",
      (events) => [...events.slice(0, 3), ...events.slice(2)],
      "node.secondFinal",
    ],
    [
      "has text after the signed frame",
      (events) => [...events.slice(0, 3), ...events.slice(1, 2), DONE],
      "node.afterFinal",
    ],
    ["ends twice", (events) => [...events, DONE], "node.afterFinal"],
    ["goes on after its end", (events) => [...events, ...events.slice(0, 1)], "node.afterFinal"],
    [
      "has text in the signed frame",
      (events) => [
        ...events.slice(0, 2),
        (events[2] ?? "").replace('"delta":{}', '"delta":{"content":"!"}'),
        DONE,
      ],
      "answer.notVerified",
    ],
    ["has what is no frame", (events) => [eventOf([]), ...events], "node.malformed"],
    ["has what is no JSON", (events) => ["data: {\n\n", ...events], "node.malformed"],
    [
      "says an error",
      (events) => [...events.slice(0, 1), eventOf({ error: { message: "no", code: "c" } })],
      "node.refused",
    ],
  ])("streams what %s: nothing is released", async (_name, events, code) => {
    node.lies = { events };
    const { chunks, error } = await streamed();
    expect(error).toMatchObject({ code });
    expect(chunks).toEqual([]);
  });

  it.each<[string, NonNullable<Lies["instead"]>, string, object?]>([
    [
      "leads elsewhere",
      (response) => response.writeHead(302, { location: "https://10.0.0.1/" }).end(),
      "node.redirect",
    ],
    ["hangs", () => undefined, "node.timeout", { answerMs: 200 }],
    [
      "does not end",
      (response) => {
        const more = (): void => {
          while (response.write(" ".repeat(10_000)));
        };
        response.on("drain", more);
        response.writeHead(200, { "content-type": "text/event-stream" });
        more();
      },
      "node.tooLong",
      { answerBytes: 1_000_000 },
    ],
    ["answers no JSON", (response) => response.end("{"), "node.malformed"],
    [
      "answers JSON without a bottom",
      (response) => response.end("[".repeat(100_000) + "]".repeat(100_000)),
      "node.malformed",
    ],
    ["wants to be paid", (response) => response.writeHead(402).end("{}"), "payment.required"],
    ["closes the connection", (response) => response.destroy(), "node.brokenOff"],
  ])("%s", async (_name, instead, code, limits = {}) => {
    node.lies = { instead };
    haca = clientOf({ limits });
    try {
      await expect(ask()).rejects.toMatchObject({ code });
      const { chunks, error } = await streamed();
      expect([chunks, error]).toEqual([
        [],
        expect.objectContaining({ code: expect.stringMatching(/^(node|payment)\./) }),
      ]);
    } finally {
      haca = clientOf();
    }
  });
});

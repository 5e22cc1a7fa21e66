import { ChatOpenAI } from "@langchain/openai";
import { generateText, jsonSchema, streamText, tool } from "ai";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHacaProvider } from "../src/adapters/ai/createHacaProvider.ts";
import { ChatHaca } from "../src/adapters/langchain/chatHaca.ts";
import type { ChatOptions } from "../src/client/chat/chatOptions.ts";
import type { ChatChunk, ChatReply } from "../src/client/chat/chatReply.ts";
import { releasedFrames } from "../src/client/chat/releasedFrames.ts";
import { createHaca, type Haca } from "../src/client/createHaca.ts";
import { isVerified } from "../src/isVerified.ts";
import { createPayer } from "../src/pay/createPayer.ts";
import { type RunningProxy, startProxy } from "../src/proxy/startProxy.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { verify } from "../src/verify.ts";
import { type CALL_INPUT, callingFirst, HOSTILE, QUESTION, TOOL_SCHEMA } from "./support/agents.ts";
import {
  CHAIN_ID,
  ChatNode,
  DONE,
  ENCLAVE,
  eventOf,
  type Lies,
  PINS,
  TEXT,
} from "./support/chatNode.ts";
import { CountingSigner, PAYMENT_PINS, PRICE, SellingNode } from "./support/sellingNode.ts";

const messages = [{ role: "user", content: "Grüße" }];
const TLS = { certificate: ENCLAVE.tlsCertificate, key: ENCLAVE.tlsKey };
const TOKEN = "token-of-the-proxy";
const STREAMED = {
  model: "m",
  messages: [{ role: "user" as const, content: "?" }],
  stream: true as const,
};

let node: ChatNode;
let haca: Haca;
let proxy: RunningProxy;
let openai: OpenAI;
const clientOf = (nodes: readonly string[]): Haca =>
  createHaca({ chainId: CHAIN_ID, pins: PINS, nodes, release: "channel" });
/** One that releases nothing before the end, where a call does not say so. */
const signed = (): Haca => createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url] });
beforeAll(async () => {
  node = await ChatNode.start(TLS);
  haca = clientOf([node.url]);
  proxy = await startProxy({ haca, models: ["m"], token: TOKEN, port: 0, release: "channel" });
  openai = new OpenAI({ baseURL: proxy.url, apiKey: TOKEN });
});
beforeEach(() => node.reset());
afterAll(async () => {
  await proxy.stop();
  node.stop();
});
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** All that a consumer of a stream was given, what it came to, and the error that ended it. */
async function streamed(options: Partial<ChatOptions> = {}, of = haca) {
  const chunks: ChatChunk[] = [];
  const frames = of.streamChat({ model: "m", messages, ...options });
  try {
    let next = await frames.next();
    for (; next.done !== true; next = await frames.next()) chunks.push(next.value);
    return { chunks, reply: next.value, error: undefined };
  } catch (error) {
    return { chunks, reply: undefined, error };
  }
}
const textIn = (chunks: readonly ChatChunk[]): string =>
  chunks
    .map(({ choices }) => (choices[0]?.delta as { content?: string } | undefined)?.content ?? "")
    .join("");
const reasonsIn = (chunks: readonly ChatChunk[]) =>
  chunks.flatMap(({ choices }) => choices.map(({ finish_reason: reason }) => reason));

/** The node goes on with the last frame, which is the signed one, when this is called. */
function heldBack(): () => void {
  let go = (): void => undefined;
  const until = new Promise<void>((resolve) => (go = resolve));
  node.lies = { ...node.lies, pace: (index) => (index === 2 ? until : undefined) };
  return go;
}

const ROLE = '"role":"assistant",';
const OTHER_OUTPUT: Lies = {
  signed: (message) => ({ ...message, outputHash: `0x${"ab".repeat(32)}` }),
};

describe("a stream that is released by channel", () => {
  it("gives text before the answer's end, and with that the rest, all of which was signed", async () => {
    const go = heldBack();
    const frames = haca.streamChat({ model: "m", messages });
    const first = [await frames.next(), await frames.next()].map(({ value }) => value as ChatChunk);
    expect([textIn(first), reasonsIn(first)]).toEqual([TEXT, [null, null]]);
    go();
    const last = (await frames.next()).value as ChatChunk;
    expect(last).toMatchObject({ choices: [{ delta: {}, finish_reason: null }] });
    const end = (await frames.next()).value as ChatChunk;
    expect(end).toMatchObject({
      choices: [{ finish_reason: "stop" }],
      usage: { total_tokens: 5 },
    });
    const { done, value } = (await frames.next()) as IteratorReturnResult<ChatReply>;
    expect([done, value.text, value.verification]).toEqual([true, TEXT, "verified"]);
    const hash = value.receipt?.core.message.inputHash;
    expect(new Set([...first, last, end].map(({ id }) => id))).toEqual(
      new Set([`chatcmpl-${hash}`]),
    );
    if (value.receipt === null) throw new Error("no receipt");
    expect(isVerified(await verify(serialiseReceipt(value.receipt), { pins: PINS }))).toBe(true);
  });

  it("gives nothing before the end where the call says signed, over the same channel", async () => {
    let givenAtEnd = -1;
    const chunks: ChatChunk[] = [];
    const pace = (index: number): void => {
      if (index === 3) givenAtEnd = chunks.length;
    };
    node.lies = { pace };
    for await (const chunk of haca.streamChat({ model: "m", messages, release: "signed" })) {
      chunks.push(chunk);
    }
    expect([givenAtEnd, textIn(chunks)]).toEqual([0, TEXT]);
  });

  it("is for nobody whose channel is not attested", async () => {
    const plain = await ChatNode.start();
    open.push(() => plain.stop());
    const { chunks, error } = await streamed({}, clientOf([plain.url]));
    expect([chunks, error]).toEqual([[], expect.objectContaining({ code: "node.noCertificate" })]);
    expect(plain.asked).toEqual([]);
  });

  it("says with the first text who speaks, also where that came in a frame of its own", async () => {
    const frame = (delta: object) => eventOf({ choices: [{ index: 0, delta }] });
    const own = frame({ role: "assistant", content: "" });
    node.lies = { events: (events) => [own, ...events.map((event) => event.replace(ROLE, ""))] };
    const { chunks, reply } = await streamed();
    expect([reply?.text, chunks[0]?.choices[0]?.delta]).toEqual([
      ...[TEXT, { role: "assistant", content: TEXT.slice(0, 7) }],
    ]);
    expect(chunks[1]?.choices[0]?.delta).toEqual({ content: TEXT.slice(7) });
  });

  it("gives calls of tools with the end alone", async () => {
    node.says = callingFirst;
    const before: ChatChunk[] = [];
    const chunks: ChatChunk[] = [];
    node.lies = { pace: (index) => index === 2 && before.push(...chunks) };
    for await (const chunk of haca.streamChat({ model: "m", messages })) chunks.push(chunk);
    expect(before).toEqual([]);
    expect(chunks[0]?.choices[0]?.delta).toMatchObject({
      tool_calls: [{ index: 0, function: { name: "warmth" } }],
    });
  });

  it.each<[string, Lies, string, number]>([
    ["another signature", HOSTILE[4]?.[1] ?? {}, "answer.notVerified", 2],
    ["another output", OTHER_OUTPUT, "answer.notVerified", 2],
    ["a price", { signed: (message) => ({ ...message, price: "1" }) }, "answer.unexpected", 2],
    ["no end", { events: (events) => events.slice(0, -1) }, "node.brokenOff", 2],
    [
      "no signed frame",
      { events: (events) => [...events.slice(0, 2), DONE] },
      "format.malformed",
      2,
    ],
    [
      "text after the signed frame",
      { events: (events) => [...events.slice(0, 3), ...events.slice(1, 2), DONE] },
      "node.afterFinal",
      2,
    ],
    [
      "text in the signed frame",
      {
        events: (events) =>
          events.map((event) => event.replace('"delta":{}', '"delta":{"content":"!"}')),
      },
      "answer.notVerified",
      2,
    ],
    ["a frame left out", { events: (events) => events.toSpliced(1, 1) }, "answer.notVerified", 1],
    [
      "a reason to finish before the end",
      {
        events: (events) => events.map((event) => event.replace('reason":null', 'reason":"stop"')),
      },
      "answer.notVerified",
      2,
    ],
    ["an error", { events: ([first = ""]) => [first, eventOf({ error: {} })] }, "node.refused", 1],
  ])("of %s throws after what was given on", async (_name, lies, code, count) => {
    node.lies = lies;
    const { chunks, error } = await streamed();
    expect(error).toMatchObject({ code, details: { released: count } });
    expect(String(error)).toContain("is not confirmed");
    expect([chunks.length, TEXT.startsWith(textIn(chunks))]).toEqual([count, true]);
    expect(reasonsIn(chunks)).toEqual(chunks.map(() => null));
  });

  it("asks no other node once it has begun, and another one before", async () => {
    const other = await ChatNode.start(TLS);
    open.push(() => other.stop());
    const two = clientOf([node.url, other.url]);
    const busy: Lies = { instead: (response) => response.writeHead(503).end("{}") };
    other.lies = busy;
    expect((await streamed({}, two)).reply?.text).toBe(TEXT);
    const failing: Lies = {
      events: ([first = ""]) => [first, eventOf({ error: { code: "c", message: "no" } })],
    };
    [node.lies, other.lies] = [failing, failing];
    const asked = node.asked.length + other.asked.length;
    expect((await streamed({}, clientOf([node.url, other.url]))).error).toMatchObject({
      code: "node.refused",
    });
    expect(node.asked.length + other.asked.length).toBe(asked + 1);
  });

  it("lets go of the node when its consumer goes", async () => {
    let isGone: Promise<unknown> | undefined;
    node.lies = {
      instead(response) {
        isGone = new Promise((resolve) => response.on("close", resolve));
        return false;
      },
      pace: (index) => (index === 1 ? isGone : undefined),
    };
    for await (const _chunk of haca.streamChat({ model: "m", messages })) break;
    await isGone;
  });

  it("is paid for as any other, and says what was paid where it is not confirmed", async () => {
    const selling = await SellingNode.start(TLS);
    open.push(() => selling.stop());
    const signer = new CountingSigner();
    selling.sold = { requester: signer.address.toLowerCase(), price: String(PRICE) };
    const payer = createPayer({
      ...{ signer, pins: PAYMENT_PINS, maxPerCall: PRICE, maxPerSession: 2n * PRICE },
    });
    const options = { chainId: CHAIN_ID, pins: PINS, nodes: [selling.url], payer };
    const paying = createHaca({ ...options, release: "channel" });
    expect((await streamed({}, paying)).reply).toMatchObject({ payment: { route: "escrow" } });
    selling.lies = { events: (events) => events.slice(0, -1) };
    expect((await streamed({}, paying)).error).toMatchObject({
      code: "node.brokenOff",
      details: {
        ...{ released: 2, salt: expect.stringMatching(/^0x/) },
        payment: { most: String(PRICE) },
      },
    });
    expect(selling.payments).toHaveLength(2);
  });
});

it("what was given on has to be what was signed", async () => {
  const frame = (delta: object, index = 0): Uint8Array =>
    new TextEncoder().encode(eventOf({ choices: [{ index, delta }] }));
  const signed = { role: "assistant", content: "yes" };
  for (const [delta, message, index] of [
    [{ content: "yes" }, signed, 1],
    [{ content: "no" }, signed],
    [{ content: "yes!" }, signed],
    [{ content: "yes", role: "system" }, signed],
    [{ reasoning: "because" }, signed],
    [{ content: "yes" }, { role: "assistant", content: null }],
  ] as const) {
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    const frames = releasedFrames({
      body: ReadableStream.from([frame(delta, index), new TextEncoder().encode(DONE)]),
      ...{ host: "node", names: { id: "i", created: 1, model: "m" } },
      confirm: async () => ({ answer: { choices } }) as never,
    });
    await frames.next();
    await expect(frames.next()).rejects.toMatchObject({
      ...{ code: "answer.unexpected", details: { field: "frames", released: 1 } },
    });
  }
});

describe("a last frame that is false errors", () => {
  beforeEach(() => {
    node.lies = OTHER_OUTPUT;
  });
  const code = "answer.notVerified";

  it("a stream of the web, by its reader", async () => {
    const stream = ReadableStream.from(haca.streamChat({ model: "m", messages }));
    let text = "";
    const reading = (async () => {
      for await (const chunk of stream) text += textIn([chunk]);
    })();
    await expect(reading).rejects.toMatchObject({ code });
    expect(text).toBe(TEXT);
  });

  it("the AI SDK", async () => {
    const model = createHacaProvider({ haca })("m");
    let text = "";
    const reading = (async () => {
      const stream = streamText({ model, prompt: QUESTION, onError: () => undefined });
      for await (const part of stream.textStream) text += part;
    })();
    await expect(reading).rejects.toMatchObject({ code });
    expect([text, node.asked.length]).toEqual([TEXT, 1]);
  });

  it("the AI SDK before it uses a tool", async () => {
    node.says = callingFirst;
    let uses = 0;
    const warmth = tool({
      inputSchema: jsonSchema<typeof CALL_INPUT>(TOOL_SCHEMA),
      execute: () => {
        uses += 1;
        return "warm";
      },
    });
    const model = createHacaProvider({ haca })("m");
    const stream = streamText({
      ...{ model, prompt: QUESTION, tools: { warmth }, onError: () => undefined },
    });
    await expect(
      stream.consumeStream({ onError: () => undefined }).then(() => stream.text),
    ).rejects.toThrow();
    expect(uses).toBe(0);
  });

  it("LangChain", async () => {
    const model = new ChatHaca({ haca, model: "m" });
    let text = "";
    const reading = (async () => {
      for await (const chunk of await model.stream(QUESTION)) text += chunk.text;
    })();
    await expect(reading).rejects.toMatchObject({ code });
    expect([text, node.asked.length]).toEqual([TEXT, 1]);
  });

  it("OpenAI's client at the proxy, and whoever reads no frames that say an error", async () => {
    let text = "";
    const reading = (async () => {
      for await (const { choices } of await openai.chat.completions.create(STREAMED)) {
        text += choices[0]?.delta.content ?? "";
      }
    })();
    await expect(reading).rejects.toMatchObject({ code });
    expect([text, node.asked.length]).toEqual([TEXT, 1]);
    const response = await fetch(`${proxy.url}/chat/completions`, {
      ...{ method: "POST", body: JSON.stringify(STREAMED) },
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    });
    await expect(response.text()).rejects.toThrow("terminated");
  });
});

describe("what is released by channel comes before the end", () => {
  it("to the AI SDK, in parts of one text", async () => {
    const go = heldBack();
    const stream = streamText({
      ...{ model: createHacaProvider({ haca: signed() })("m"), prompt: QUESTION },
      providerOptions: { haca: { release: "channel" } },
    });
    let text = "";
    for await (const part of stream.textStream) {
      text += part;
      if (text === TEXT) go();
    }
    expect([text, await stream.text, await stream.finishReason]).toEqual([TEXT, TEXT, "stop"]);
    expect(await stream.providerMetadata).toMatchObject({ haca: { verification: "verified" } });
  });

  it("to LangChain, in chunks of one message", async () => {
    const go = heldBack();
    const chunks = [];
    const model = new ChatHaca({ haca: signed(), model: "m" });
    for await (const chunk of await model.stream(QUESTION, { release: "channel" })) {
      chunks.push(chunk);
      if (chunks.length === 2) go();
    }
    const whole = chunks.reduce((before, chunk) => before.concat(chunk));
    expect([whole.text, new Set(chunks.map(({ id }) => id)).size]).toEqual([TEXT, 1]);
    expect(whole.response_metadata.haca).toMatchObject({ verification: "verified" });
  });

  it("to OpenAI's client at the proxy; the last frame says that it is verified", async () => {
    const go = heldBack();
    const frames = [];
    let text = "";
    for await (const frame of await openai.chat.completions.create(STREAMED)) {
      frames.push(frame);
      text += frame.choices[0]?.delta.content ?? "";
      if (text === TEXT) go();
    }
    expect(frames.at(-1)).toMatchObject({
      ...{ choices: [{ finish_reason: "stop" }], haca: { verification: "verified" } },
    });
    expect(frames.filter((frame) => "haca" in frame)).toHaveLength(1);
  });

  it("to LangChain's client for OpenAI's API", async () => {
    const model = new ChatOpenAI({
      ...{ model: "m", apiKey: TOKEN, configuration: { baseURL: proxy.url } },
    });
    const go = heldBack();
    const chunks = [];
    let text = "";
    for await (const chunk of await model.stream(QUESTION)) {
      chunks.push(chunk);
      text += chunk.text;
      if (text === TEXT) go();
    }
    const whole = chunks.reduce((before, chunk) => before.concat(chunk));
    expect([whole.type, whole.text]).toEqual(["ai", TEXT]);
  });

  it("and answers in one piece are verified before they are given, over the same channel", async () => {
    const { text } = await generateText({
      ...{ model: createHacaProvider({ haca })("m"), prompt: QUESTION },
      providerOptions: { haca: { release: "channel" } },
    });
    expect(text).toBe(TEXT);
    node.lies = OTHER_OUTPUT;
    await expect(haca.chat({ model: "m", messages })).rejects.toMatchObject({
      code: "answer.notVerified",
    });
  });
});

import { generateText, isStepCount, jsonSchema, streamText, tool } from "ai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createHacaProvider, type HacaProvider } from "../src/adapters/ai/createHacaProvider.ts";
import type { AnswerNote } from "../src/adapters/answerNote.ts";
import { createHaca } from "../src/client/createHaca.ts";
import { isVerified } from "../src/isVerified.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { verify } from "../src/verify.ts";
import {
  CALL_INPUT,
  callingFirst,
  HOSTILE,
  QUESTION,
  TOOL_ANSWER,
  TOOL_SCHEMA,
} from "./support/agents.ts";
import { CHAIN_ID, ChatNode, PINS, TEXT } from "./support/chatNode.ts";

let node: ChatNode;
let haca: HacaProvider;
beforeAll(async () => {
  node = await ChatNode.start();
  haca = createHacaProvider({
    haca: createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url] }),
  });
});
beforeEach(() => node.reset());
afterAll(() => node.stop());

const asked = () => node.asked.map(({ body }) => JSON.parse(body));
const warmth = tool({
  inputSchema: jsonSchema<typeof CALL_INPUT>(TOOL_SCHEMA),
  execute: async ({ city }) => `21 degrees in ${city}`,
});

/** Whether what came beside an answer has a receipt that anybody can check. */
async function expectReceipt(metadata: unknown): Promise<void> {
  const { id, receipt, verification } = (metadata as { haca: AnswerNote }).haca;
  expect([verification, id]).toEqual(["verified", expect.stringMatching(/^0x[0-9a-f]{64}$/)]);
  if (receipt === null) throw new Error("no receipt");
  expect(isVerified(await verify(serialiseReceipt(receipt), { pins: PINS, model: "m" }))).toBe(
    true,
  );
}

describe("the AI SDK", () => {
  it("gets a verified answer in one piece, with what it asked for and its receipt", async () => {
    const answer = await generateText({
      ...{ model: haca("m"), instructions: "Be brief.", prompt: QUESTION, temperature: 0.5 },
      ...{ maxOutputTokens: 9, topK: 3, stopSequences: ["."] },
      providerOptions: { haca: { parameters: { logit_bias: {} }, idempotencyKey: "k".repeat(16) } },
    });
    expect([answer.text, answer.finishReason, answer.usage.totalTokens]).toEqual([TEXT, "stop", 5]);
    expect(answer.warnings).toEqual([{ type: "unsupported", feature: "topK" }]);
    await expectReceipt(answer.providerMetadata);
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: QUESTION },
    ];
    const parameters = { temperature: 0.5, max_tokens: 9, stop: ["."], logit_bias: {} };
    expect(asked()).toEqual([{ model: "m", messages, ...parameters }]);
    expect(node.asked[0]?.headers["idempotency-key"]).toBe("k".repeat(16));
  });

  it("gets a stream of the same", async () => {
    const stream = streamText({ model: haca("m"), prompt: QUESTION });
    let text = "";
    for await (const part of stream.textStream) text += part;
    expect([text, await stream.finishReason]).toEqual([TEXT, "stop"]);
    await expectReceipt(await stream.providerMetadata);
    expect(asked()).toMatchObject([{ stream: true }]);
  });

  it.each(["in one piece", "streaming"])("lets tools be used, %s", async (way) => {
    node.says = callingFirst;
    const common = { model: haca("m"), prompt: QUESTION, tools: { warmth } };
    const many = { ...common, stopWhen: isStepCount(2) };
    const text =
      way === "streaming" ? await streamText(many).text : (await generateText(many)).text;
    expect(text).toBe("Warm.");
    const [first, second] = asked();
    expect(first.tools).toMatchObject([{ function: { name: "warmth", parameters: TOOL_SCHEMA } }]);
    expect(second.messages.slice(1)).toEqual([
      {
        ...{ role: "assistant", content: null },
        tool_calls: [
          {
            ...{ id: "call_1", type: "function" },
            function: { name: "warmth", arguments: JSON.stringify(CALL_INPUT) },
          },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: TOOL_ANSWER },
    ]);
  });

  it("sends images as bytes, and refuses other files", async () => {
    const ask = (mediaType: string) =>
      generateText({
        model: haca("m"),
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "?" },
              { type: "file", mediaType, data: new Uint8Array([1, 2, 250]) },
            ],
          },
        ],
      });
    await ask("image/png");
    expect(asked()[0].messages[0].content[1]).toEqual({
      ...{ type: "image_url", image_url: { url: "data:image/png;base64,AQL6" } },
    });
    await expect(ask("application/pdf")).rejects.toThrow("prompt: a file of application/pdf");
  });

  it.each([
    [{ verify: "off" }, "verify: there is no such option"],
    [{ salt: "x" }, "salt: must be 32 bytes"],
  ])("refuses the options %j, and no node hears of it", async (options, message) => {
    const call = { model: haca("m"), prompt: QUESTION, providerOptions: { haca: options } };
    await expect(generateText(call)).rejects.toThrow(message);
    expect(node.asked).toEqual([]);
  });

  it("has no models of other kinds", () => {
    expect(() => haca.embeddingModel("m")).toThrow("there are language models");
    expect(() => haca.imageModel("m")).toThrow("there are language models");
  });
});

describe("of a node that lies", () => {
  it.each(HOSTILE.filter(([, , { isOfStreams }]) => !isOfStreams))(
    "%s is thrown, and nothing is asked again",
    async (_name, lies, _only, code) => {
      node.lies = lies;
      await expect(generateText({ model: haca("m"), prompt: QUESTION })).rejects.toMatchObject({
        code,
      });
      expect(node.asked).toHaveLength(1);
    },
  );

  it.each(HOSTILE)(
    "%s errors the stream before anything was released",
    async (_name, lies, _only, code) => {
      node.lies = lies;
      const parts: unknown[] = [];
      const reading = (async () => {
        const stream = streamText({ model: haca("m"), prompt: QUESTION, onError: () => undefined });
        for await (const part of stream.textStream) parts.push(part);
      })();
      await expect(reading).rejects.toMatchObject({ code });
      expect(parts).toEqual([]);
      expect(node.asked).toHaveLength(1);
    },
  );

  it("lets go of it when the consumer goes", async () => {
    let isGone: Promise<unknown> | undefined;
    const asking = new Promise<void>((resolve) => {
      node.lies = {
        instead(response) {
          isGone = new Promise((gone) => response.on("close", gone));
          resolve();
        },
      };
    });
    const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "?" }] }];
    const { stream } = await haca("m").doStream({ prompt });
    const reader = stream.getReader();
    const first = reader.read();
    await asking;
    await reader.cancel();
    await isGone;
    expect(await first).toEqual({ done: true, value: undefined });
  });
});

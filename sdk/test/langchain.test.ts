import {
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AnswerNote } from "../src/adapters/answerNote.ts";
import { ChatHaca } from "../src/adapters/langchain/chatHaca.ts";
import { createHaca, type Haca } from "../src/client/createHaca.ts";
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
let model: ChatHaca;
let haca: Haca;
beforeAll(async () => {
  node = await ChatNode.start();
  haca = createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url] });
  model = new ChatHaca({ haca, model: "m", parameters: { temperature: 0.5 } });
});
beforeEach(() => node.reset());
afterAll(() => node.stop());

const asked = () => node.asked.map(({ body }) => JSON.parse(body));
const warmth = tool(async ({ city }: { city: string }) => `21 degrees in ${city}`, {
  ...{ name: "warmth", description: "how warm it is", schema: TOOL_SCHEMA },
});

/** Whether what came beside an answer has a receipt that anybody can check. */
async function expectReceipt(metadata: Record<string, unknown>): Promise<void> {
  const { id, receipt, verification } = metadata.haca as AnswerNote;
  expect([verification, id]).toEqual(["verified", expect.stringMatching(/^0x[0-9a-f]{64}$/)]);
  if (receipt === null) throw new Error("no receipt");
  expect(isVerified(await verify(serialiseReceipt(receipt), { pins: PINS, model: "m" }))).toBe(
    true,
  );
}

describe("LangChain", () => {
  it("gets a verified answer in one piece, with what it asked for and its receipt", async () => {
    const messages = [new SystemMessage("Be brief."), new HumanMessage(QUESTION)];
    const idempotencyKey = "k".repeat(16);
    const answer = await model.invoke(messages, { stop: ["."], idempotencyKey });
    expect(answer).toMatchObject({ text: TEXT, usage_metadata: { total_tokens: 5 } });
    expect(answer.response_metadata).toMatchObject({ model_name: "m-2026", finish_reason: "stop" });
    await expectReceipt(answer.response_metadata);
    expect(asked()).toEqual([
      {
        ...{ model: "m", temperature: 0.5, stop: ["."] },
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: QUESTION },
        ],
      },
    ]);
    expect(node.asked[0]?.headers["idempotency-key"]).toBe(idempotencyKey);
  });

  it("gets a stream of the same, and its callbacks are told", async () => {
    const tokens: string[] = [];
    const callbacks = [{ handleLLMNewToken: (token: string) => void tokens.push(token) }];
    const chunks = [];
    for await (const chunk of await model.stream(QUESTION, { callbacks })) chunks.push(chunk);
    const whole = chunks.reduce((before, chunk) => before.concat(chunk));
    expect([whole.text, tokens.join("")]).toEqual([TEXT, TEXT]);
    expect(whole).toMatchObject({ usage_metadata: { total_tokens: 5 } });
    await expectReceipt(whole.response_metadata);
    expect(asked()).toMatchObject([{ stream: true }]);
  });

  it.each(["in one piece", "streaming"])("lets tools be used, %s", async (way) => {
    node.says = callingFirst;
    const bound = model.bindTools([warmth], { tool_choice: "any" });
    const ask = async (messages: BaseMessage[]): Promise<AIMessageChunk> => {
      if (way === "in one piece") return bound.invoke(messages);
      const chunks = [];
      for await (const chunk of await bound.stream(messages)) chunks.push(chunk);
      return chunks.reduce((before, chunk) => before.concat(chunk));
    };
    const question = new HumanMessage(QUESTION);
    const wanting = await ask([question]);
    const [call] = wanting.tool_calls ?? [];
    expect(call).toMatchObject({ id: "call_1", name: "warmth", args: CALL_INPUT });
    const result = new ToolMessage({ tool_call_id: call?.id ?? "", content: TOOL_ANSWER });
    expect((await ask([question, wanting, result])).text).toBe("Warm.");
    const [first, second] = asked();
    expect(first).toMatchObject({
      tools: [{ type: "function", function: { name: "warmth", parameters: TOOL_SCHEMA } }],
      tool_choice: "required",
    });
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

  it("gives an answer of a form, by a tool", async () => {
    node.says = callingFirst;
    const formed = model.withStructuredOutput(TOOL_SCHEMA, { name: "warmth" });
    expect(await formed.invoke(QUESTION)).toEqual(CALL_INPUT);
  });

  it("says which call of a tool is none", async () => {
    node.says = () => ({
      message: {
        ...{ role: "assistant", content: null },
        tool_calls: [{ type: "function", function: { name: "warmth", arguments: "{" } }],
      },
      finish_reason: "tool_calls",
    });
    const answer = await model.bindTools([warmth]).invoke(QUESTION);
    expect(answer.tool_calls).toEqual([]);
    expect(answer.invalid_tool_calls).toMatchObject([{ name: "warmth", args: "{" }]);
  });

  it("sends images, and refuses what there is no place for", async () => {
    const image = { type: "image", source_type: "base64", mime_type: "image/png", data: "AQL6" };
    await model.invoke([new HumanMessage({ content: [{ type: "text", text: "?" }, image] })]);
    expect(asked()[0].messages[0].content).toEqual([
      { type: "text", text: "?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AQL6" } },
    ]);
    const audio = [new HumanMessage({ content: [{ type: "audio" }] })];
    await expect(model.invoke(audio)).rejects.toThrow("messages: a part of the kind audio");
    await expect(model.invoke(QUESTION, { salt: "x" })).rejects.toThrow("salt: must be 32 bytes");
    expect(node.asked).toHaveLength(1);
  });
});

describe("of a node that lies", () => {
  it.each(HOSTILE.filter(([, , { isOfStreams }]) => !isOfStreams))(
    "%s is thrown, and nothing is asked again",
    async (_name, lies, _only, code) => {
      node.lies = lies;
      await expect(model.invoke(QUESTION)).rejects.toMatchObject({ code });
      expect(node.asked).toHaveLength(1);
    },
  );

  it.each(HOSTILE)(
    "%s errors the stream before anything was released",
    async (_name, lies, _only, code) => {
      node.lies = lies;
      const released: unknown[] = [];
      const callbacks = [{ handleLLMNewToken: (token: string) => void released.push(token) }];
      const reading = (async () => {
        for await (const chunk of await model.stream(QUESTION, { callbacks })) released.push(chunk);
      })();
      await expect(reading).rejects.toMatchObject({ code });
      expect(released).toEqual([]);
      expect(node.asked).toHaveLength(1);
    },
  );

  it("lets go of a stream whose consumer stops", async () => {
    let isLetGo = false;
    async function* frames(): AsyncGenerator {
      try {
        for (const content of ["one", "two"]) {
          yield { id: "1", choices: [{ index: 0, delta: { content }, finish_reason: null }] };
        }
      } finally {
        isLetGo = true;
      }
    }
    const stopped = new ChatHaca({
      haca: { ...haca, streamChat: frames as unknown as Haca["streamChat"] },
      model: "m",
    });
    for await (const _chunk of await stopped.stream(QUESTION)) break;
    expect(isLetGo).toBe(true);
  });

  it("lets go of it when the consumer goes", async () => {
    const controller = new AbortController();
    let isGone: Promise<unknown> | undefined;
    node.lies = {
      instead(response) {
        isGone = new Promise((gone) => response.on("close", gone));
        controller.abort();
      },
    };
    await expect(model.invoke(QUESTION, { signal: controller.signal })).rejects.toThrow();
    await isGone;
  });
});

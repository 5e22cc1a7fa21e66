import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { type AIMessageChunk, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool as langChainTool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, isStepCount, streamText, tool } from "ai";
import { keccak256, recoverAddress, Wallet } from "ethers";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { z } from "zod";
import {
  ANSWER,
  type Answer,
  accepting,
  answering,
  DONE,
  ends,
  frame,
  resultsIn,
  says,
  streaming,
} from "./support/bed.ts";
import { Command, SESSION } from "./support/command.ts";
import { expectSigned } from "./support/expectSigned.ts";
import type { Handler, Received } from "./support/httpServer.ts";

// Each starts processes, and a client waits before it asks again.
vi.setConfig({ testTimeout: 300_000 });

const MESSAGES = [{ role: "user" as const, content: "How warm is it in Paris?" }];
const PARAMETERS = {
  type: "object" as const,
  properties: { city: { type: "string" as const } },
  required: ["city"],
};
const TOOL_CALL = {
  ...{
    id: "call_1",
    type: "function",
    function: { name: "warmth", arguments: '{"city":"Paris"}' },
  },
};
const CALLING = {
  ...ANSWER,
  choices: [
    {
      ...{ index: 0, finish_reason: "tool_calls" },
      message: { role: "assistant", content: null, tool_calls: [TOOL_CALL] },
    },
  ],
};
const STREAMED = streaming(
  frame([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]),
  says("Hello, "),
  says("wörld"),
  ends(),
  frame([], { usage: ANSWER.usage }),
  DONE,
);
/** What is signed of the stream. */
const STREAMED_ANSWER = { ...ANSWER, system_fingerprint: null };

let command: Command;
beforeAll(async () => {
  command = await Command.prepare();
});
beforeEach(() => command.reset());
afterAll(() => command.stop());

const asked = (): unknown[] => command.upstream.received.map(({ body }) => JSON.parse(body));

/** A model that wants the tool used first, and answers once it has what the tool says. */
const callingFirst: Handler = (response, request: Received) => {
  const { messages } = JSON.parse(request.body) as { messages: { role: string }[] };
  const hasResult = messages.at(-1)?.role === "tool";
  return answering(hasResult ? ANSWER : CALLING)(response, request);
};

/** Checks what a client was shown against what went upstream and what the worker was handed. */
function expectSettled(shown: unknown, request: unknown, answer: object = ANSWER): void {
  const { haca } = shown as Answer;
  const teeId = keccak256(
    new Uint8Array(command.publicKey.export({ type: "spki", format: "der" })),
  );
  expectSigned({
    ...{ result: haca, salt: haca.salt, request, answer },
    key: {
      teeId,
      isGood: (digest, signature) =>
        recoverAddress(digest, signature) === new Wallet(SESSION).address,
    },
  });
  const results = command.worker.received.flatMap(({ body }) => resultsIn(body));
  expect(results).toContainEqual({ message: haca.message, signature: haca.signature });
}

it("OpenAI's client: in one piece, streaming, and with tools", async () => {
  const { url } = await command.start();
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "client-key", maxRetries: 0 });
  const request = { model: "m", messages: MESSAGES };
  const plain = await client.chat.completions.create(request);
  expect(plain.choices[0]?.message.content).toBe("Hello, wörld");
  expectSettled(plain, request);

  command.upstream.handler = STREAMED;
  const streamed = { ...request, stream: true, stream_options: { include_usage: true } } as const;
  const frames = [];
  for await (const chunk of await client.chat.completions.create(streamed)) frames.push(chunk);
  const text = frames.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
  expect([text, frames.at(-1)?.choices[0]?.finish_reason]).toEqual(["Hello, wörld", "stop"]);
  expect(frames.at(-1)?.usage).toEqual(ANSWER.usage);
  expectSettled(frames.at(-1), streamed, STREAMED_ANSWER);

  command.reset();
  command.upstream.handler = callingFirst;
  const shown: unknown[] = [];
  const runner = client.chat.completions.runTools({
    ...request,
    tools: [
      {
        type: "function",
        function: {
          ...{ name: "warmth", description: "how warm it is", parameters: PARAMETERS },
          parse: (words: string) => JSON.parse(words) as { city: string },
          function: ({ city }: { city: string }) => `21 degrees in ${city}`,
        },
      },
    ],
  });
  runner.on("chatCompletion", (completion) => void shown.push(completion));
  expect(await runner.finalContent()).toBe("Hello, wörld");
  const [first, second] = asked() as { messages: unknown[] }[];
  expect(second?.messages.at(-1)).toMatchObject({ role: "tool", content: "21 degrees in Paris" });
  expectSettled(shown[0], first, CALLING);
  expectSettled(shown[1], second);
});

/** A client with the retries that it makes by itself. */
type Retrying = (options: {
  baseURL: string;
  fetch?: typeof fetch;
  headers?: Record<string, string>;
}) => Promise<unknown>;
const RETRYING: [string, Retrying][] = [
  [
    "OpenAI's client",
    ({ headers, ...options }) =>
      new OpenAI({ ...options, apiKey: "client-key", maxRetries: 5 }).chat.completions.create(
        { model: "m", messages: MESSAGES },
        headers && { headers },
      ),
  ],
  [
    "LangChain's client",
    async ({ headers, ...configuration }) => {
      const model = langChain({ configuration, maxRetries: 5 });
      return rawOf(await model.invoke(MESSAGES, headers && { options: { headers } }));
    },
  ],
];

it.each(RETRYING)(
  "%s asks again by itself after a failure, and one result is settled",
  async (_name, ask) => {
    const { url } = await command.start();
    const results = () => command.worker.received.flatMap(({ body }) => resultsIn(body));
    const failingOnce = (fail: Handler, succeed: Handler): Handler => {
      let count = 0;
      return (response, received) => {
        count += 1;
        return (count === 1 ? fail : succeed)(response, received);
      };
    };
    // Of an upstream's failure nothing is signed: its second answer is the only one.
    command.upstream.handler = failingOnce(answering({}, 500), answering(ANSWER));
    const plain = await ask({ baseURL: `${url}/v1` });
    expect(command.upstream.received).toHaveLength(2);
    expect(results()).toHaveLength(1);
    expectSettled(plain, asked()[1]);

    // A result whose way back was lost is the worker's: under the key the same one is handed in again, and no other is made.
    command.reset();
    const hasty = await command.start({
      HACA_GATEWAY_QUEUE_MS: "1000",
      HACA_GATEWAY_ANSWERS: mkdtempSync(join(command.folder, "hasty-")),
    });
    let isAway = true;
    command.worker.handler = (response, received) =>
      isAway ? void response.destroy() : accepting(response, received);
    const statuses: number[] = [];
    const again = await ask({
      ...{ baseURL: `${hasty.url}/v1`, headers: { "idempotency-key": "once" } },
      async fetch(input, init) {
        const response = await fetch(input, init);
        statuses.push(response.status);
        isAway = false;
        return response;
      },
    });
    expect([statuses[0], statuses.at(-1)]).toEqual([503, 200]);
    expect(command.upstream.received).toHaveLength(1);
    expect(new Set(results().map(({ message }) => message.requestId)).size).toBe(1);
    expectSettled(again, asked()[0]);
  },
);

/** LangChain's client for OpenAI's API, which shows what came, too. */
const langChain = (options: Partial<ConstructorParameters<typeof ChatOpenAI>[0]>): ChatOpenAI =>
  new ChatOpenAI({ model: "m", apiKey: "client-key", __includeRawResponse: true, ...options });

const rawOf = ({ additional_kwargs }: AIMessageChunk): unknown => additional_kwargs.__raw_response;

it("LangChain's client: in one piece, streaming, and with tools", async () => {
  const { url } = await command.start();
  const model = langChain({ configuration: { baseURL: `${url}/v1` }, maxRetries: 0 });
  const plain = await model.invoke(MESSAGES);
  expect(plain.text).toBe("Hello, wörld");
  expectSettled(rawOf(plain), asked()[0]);

  command.reset();
  command.upstream.handler = STREAMED;
  const chunks: AIMessageChunk[] = [];
  for await (const chunk of await model.stream(MESSAGES)) chunks.push(chunk);
  const whole = chunks.reduce((before, chunk) => before.concat(chunk));
  expect(whole).toMatchObject({
    ...{ text: "Hello, wörld", usage_metadata: { output_tokens: ANSWER.usage.completion_tokens } },
  });
  const frames = chunks.map(rawOf).filter((raw) => raw !== undefined);
  expectSettled(frames.at(-1), asked()[0], STREAMED_ANSWER);

  command.reset();
  command.upstream.handler = callingFirst;
  const warmth = langChainTool(({ city }: { city: string }) => `21 degrees in ${city}`, {
    ...{ name: "warmth", description: "how warm it is", schema: PARAMETERS },
  });
  const bound = model.bindTools([warmth]);
  const question = new HumanMessage("How warm is it in Paris?");
  const wanting = await bound.invoke([question]);
  expect(wanting.tool_calls).toMatchObject([{ name: "warmth", args: { city: "Paris" } }]);
  const result = new ToolMessage({ tool_call_id: "call_1", content: "21 degrees in Paris" });
  const used = await bound.invoke([question, wanting, result]);
  expect(used.text).toBe("Hello, wörld");
  const [first, second] = asked() as { messages: unknown[] }[];
  expect(second?.messages.at(-1)).toMatchObject({ role: "tool", content: "21 degrees in Paris" });
  expectSettled(rawOf(wanting), first, CALLING);
  expectSettled(rawOf(used), second);
});

it("the AI SDK: in one piece, streaming, and with tools", async () => {
  const { url } = await command.start();
  const provider = createOpenAICompatible({
    ...{ name: "haca", baseURL: `${url}/v1`, apiKey: "client-key", includeUsage: true },
  });
  const common = { model: provider("m"), maxRetries: 0 };
  const include = { responseBody: true };
  const plain = await generateText({ ...common, include, prompt: "Say hello" });
  expect([plain.text, plain.finishReason]).toEqual(["Hello, wörld", "stop"]);
  expectSettled(plain.response.body, asked()[0]);

  command.reset();
  command.upstream.handler = STREAMED;
  const stream = streamText({ ...common, prompt: "Say hello", includeRawChunks: true });
  const raw: unknown[] = [];
  for await (const part of stream.fullStream) if (part.type === "raw") raw.push(part.rawValue);
  expect(await stream.text).toBe("Hello, wörld");
  expect((await stream.usage).outputTokens).toBe(ANSWER.usage.completion_tokens);
  expectSettled(raw.at(-1), asked()[0], STREAMED_ANSWER);

  command.reset();
  command.upstream.handler = callingFirst;
  const warmth = tool({
    description: "how warm it is",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `21 degrees in ${city}`,
  });
  const used = await generateText({
    ...{ ...common, include, prompt: "How warm is it in Paris?", tools: { warmth } },
    stopWhen: isStepCount(2),
  });
  expect(used.text).toBe("Hello, wörld");
  const [first, second] = asked() as { messages: unknown[] }[];
  expect(second?.messages.at(-1)).toMatchObject({ role: "tool", content: "21 degrees in Paris" });
  expectSettled(used.steps[0]?.response.body, first, CALLING);
  expectSettled(used.steps[1]?.response.body, second);
});

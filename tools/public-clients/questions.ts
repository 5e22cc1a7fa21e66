import type { Step } from "./drivers/askPython.ts";
import { MARK, TEXT } from "./stack/upstream.ts";

/** One of the SDKs' own list of models. */
export const MODEL = "gpt-4.1-2025-04-14";
export const NAMED = `openai/${MODEL}`;
export const ALTERED = TEXT.replace(MARK, "genuinf");
export const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: 'Is "naïve" 𝄞 genuine?\n' },
];
export const TOOLS = [
  {
    type: "function",
    function: {
      name: "weather",
      description: "of a city",
      parameters: {
        type: "object",
        properties: {
          city: { type: "string" },
          days: { type: "number", maximum: 1e21, minimum: 0.5 },
        },
      },
    },
  },
];
/** What the SDK sends, and the gateway hashes, of the calls below. */
export const common = { model: MODEL, messages, max_tokens: 100, temperature: 0 };
export const DIRECT: Record<string, Extract<Step, { client: "direct" }>> = {
  chat: { client: "direct", ask: { model: NAMED, messages }, request: common },
  stream: { client: "direct", ask: { model: NAMED, messages, stream: true }, request: common },
  options: {
    client: "direct",
    ask: {
      ...{ model: NAMED, messages, max_tokens: 7, temperature: 0.7, stop_sequence: ["\n\n", "é"] },
      response_format: { type: "json_object" },
    },
    request: {
      ...{ ...common, max_tokens: 7, temperature: 0.7, stop: ["\n\n", "é"] },
      response_format: { type: "json_object" },
    },
  },
  tools: {
    client: "direct",
    ask: { model: NAMED, messages, tools: TOOLS },
    request: { ...common, tools: TOOLS, tool_choice: "auto" },
  },
  toolsStream: {
    client: "direct",
    ask: { model: NAMED, messages, tools: TOOLS, stream: true },
    request: { ...common, tools: TOOLS, tool_choice: "auto" },
  },
  completion: {
    client: "direct",
    ask: { model: NAMED, prompt: "Say ü" },
    request: { model: MODEL, prompt: "Say ü", max_tokens: 100, temperature: 0 },
  },
};
export const SEALED: Record<string, Extract<Step, { client: "sealed" }>> = {
  chat: { client: "sealed", ask: { model: NAMED, messages, temperature: 1 } },
  stream: { client: "sealed", ask: { model: NAMED, messages, stream: true } },
  tools: { client: "sealed", ask: { model: NAMED, messages, tools: TOOLS } },
  toolsStream: { client: "sealed", ask: { model: NAMED, messages, tools: TOOLS, stream: true } },
};

/** Steps that nobody else asks: the same payer's same request is paid once. */
export const stepsOf = (name: string) => {
  const asked = [...messages, { role: "user", content: name }];
  const request = { ...common, messages: asked };
  const prompt = `Say ${name}`;
  return {
    chat: { client: "direct", ask: { model: NAMED, messages: asked }, request },
    stream: { client: "direct", ask: { model: NAMED, messages: asked, stream: true }, request },
    completion: {
      client: "direct",
      ask: { model: NAMED, prompt },
      request: { model: MODEL, prompt, max_tokens: 100, temperature: 0 },
    },
  } as const satisfies Record<string, Step>;
};

/** The text that a stream's events make. */
export const textIn = (events: readonly string[]): string =>
  events
    .map((event) => {
      const frame = JSON.parse(event.slice("data: ".length)) as {
        choices: { delta: { content?: string } }[];
      };
      return frame.choices[0]?.delta.content ?? "";
    })
    .join("");

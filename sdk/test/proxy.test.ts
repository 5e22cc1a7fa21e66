import { request as requestHttp } from "node:http";
import { text } from "node:stream/consumers";
import { ChatOpenAI } from "@langchain/openai";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChatReply } from "../src/client/chat/chatReply.ts";
import { createHaca } from "../src/client/createHaca.ts";
import { type RunningProxy, startProxy } from "../src/proxy/startProxy.ts";
import { receiptId } from "../src/typedData.ts";
import { HOSTILE } from "./support/agents.ts";
import { CHAIN_ID, ChatNode, type Lies, PINS, TEXT } from "./support/chatNode.ts";

const TOKEN = "token-of-the-proxy";
const REQUEST = { model: "m", messages: [{ role: "user" as const, content: "Grüße" }] };
const STREAMED = { ...REQUEST, stream: true as const };

let node: ChatNode;
let proxy: RunningProxy;
let openai: OpenAI;
let replies: ChatReply[] = [];
let keep: (reply: ChatReply) => void;
beforeAll(async () => {
  node = await ChatNode.start();
  const haca = createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url] });
  proxy = await startProxy({
    ...{ haca, models: ["m"], token: TOKEN, port: 0 },
    onReply: (reply) => keep(reply),
  });
  // With the retries that the client makes by itself.
  openai = new OpenAI({ baseURL: proxy.url, apiKey: TOKEN });
});
beforeEach(() => {
  node.reset();
  replies = [];
  keep = (reply) => void replies.push(reply);
});
afterAll(async () => {
  await proxy.stop();
  node.stop();
});

/** LangChain's client for OpenAI's API, with the retries that it makes by itself. */
const langChain = () =>
  new ChatOpenAI({
    ...{ model: "m", apiKey: TOKEN, __includeRawResponse: true },
    configuration: { baseURL: proxy.url },
  });

/** A request as it stands here, whatever a well-behaved client would send. */
const send = (parameters: {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}): Promise<{ status: number; code: unknown; body: string; allowed: unknown }> =>
  new Promise((resolve, reject) => {
    const { body, headers = {}, method = "POST", path = "/v1/chat/completions" } = parameters;
    const request = requestHttp(new URL(path, proxy.url), {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...headers },
    });
    request.on("error", reject);
    request.on("response", async (response) => {
      const answer = await text(response);
      let code: unknown;
      try {
        code = JSON.parse(answer).error?.code;
      } catch {
        // Not every answer is JSON.
      }
      const allowed = response.headers["access-control-allow-origin"];
      resolve({ status: response.statusCode ?? 0, code, body: answer, allowed });
    });
    request.end(method === "POST" ? (body ?? JSON.stringify(REQUEST)) : undefined);
  });

describe("OpenAI's client", () => {
  it("gets verified answers by another address alone: in one piece, streaming, the models", async () => {
    const plain = await openai.chat.completions.create({ ...REQUEST, temperature: 0.5 });
    expect(plain.choices[0]?.message.content).toBe(TEXT);
    const frames = [];
    for await (const frame of await openai.chat.completions.create(STREAMED)) frames.push(frame);
    expect(frames.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(TEXT);
    expect(frames.at(-1)).toMatchObject({ usage: { total_tokens: 5 } });
    const receipts = replies.map(({ receipt }) => receipt && receiptId(receipt.core));
    expect([plain, frames.at(-1)]).toMatchObject(
      receipts.map((receipt) => ({ haca: { verification: "verified", receipt } })),
    );
    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(["m"]);
    expect(JSON.parse(node.asked[0]?.body ?? "")).toEqual({ ...REQUEST, temperature: 0.5 });
  });

  it.each<[string, Lies, number, string]>([
    [
      "a lie",
      { signed: (message) => ({ ...message, outputHash: `0x${"ab".repeat(32)}` }) },
      406,
      "answer.notVerified",
    ],
    ["a price", { instead: (response) => response.writeHead(402).end() }, 402, "payment.required"],
    [
      "too much to do",
      { instead: (response) => response.writeHead(429).end() },
      429,
      "node.refused",
    ],
    ["no answer", { instead: (response) => response.destroy() }, 406, "node.brokenOff"],
  ])("gets an error in place of %s, and asks once", async (_name, lies, status, code) => {
    node.lies = lies;
    for (const asked of [REQUEST, STREAMED]) {
      node.asked.length = 0;
      const answer = openai.chat.completions.create(asked);
      await expect(answer).rejects.toMatchObject({ status, code });
      expect(node.asked).toHaveLength(1);
    }
  });

  it("waits at a stream that begins with comments, and is told by an error where it was for nothing", async () => {
    const haca = createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url] });
    const hasty = await startProxy({ haca, models: ["m"], token: TOKEN, port: 0, commentMs: 1 });
    const client = new OpenAI({ baseURL: hasty.url, apiKey: TOKEN });
    for (const answer of [undefined, () => ({ choices: [] })]) {
      let go = (): void => undefined;
      const until = new Promise<void>((resolve) => (go = resolve));
      node.lies = { until, ...(answer && { answer }) };
      // Its head is here with the first comment, before the node has answered.
      const stream = await client.chat.completions.create(STREAMED);
      go();
      const frames: unknown[] = [];
      const reading = (async () => {
        for await (const frame of stream) frames.push(frame);
      })();
      if (answer === undefined) {
        await reading;
        expect(frames).toHaveLength(2);
      } else {
        await expect(reading).rejects.toMatchObject({ code: "format.malformed" });
        expect(frames).toEqual([]);
      }
    }
    await hasty.stop();
  });

  it("gets no answer whose receipt could not be kept", async () => {
    keep = () => {
      throw new Error("no room");
    };
    await expect(openai.chat.completions.create(REQUEST)).rejects.toMatchObject({
      status: 500,
      code: "proxy.failed",
    });
  });
});

describe("LangChain's client", () => {
  it("gets verified answers by another address alone: in one piece, and streaming", async () => {
    const model = langChain();
    const plain = await model.invoke("Grüße");
    expect(plain.text).toBe(TEXT);
    expect(plain.additional_kwargs.__raw_response).toMatchObject({
      haca: { verification: "verified" },
    });
    const chunks = [];
    for await (const chunk of await model.stream("Grüße")) chunks.push(chunk);
    expect(chunks.map(({ text: said }) => said).join("")).toBe(TEXT);
    expect(replies).toHaveLength(2);
  });

  it.each(HOSTILE.filter(([, , , code]) => code !== "node.refused"))(
    "gets an error in place of %s, nothing before, and asks once, whatever its retries",
    async (_name, lies, { isOfStreams }, code) => {
      node.lies = lies;
      const chunks: unknown[] = [];
      const reading = (async () => {
        for await (const chunk of await langChain().stream("Grüße")) chunks.push(chunk);
      })();
      await expect(reading).rejects.toMatchObject({ status: 406, code });
      expect([chunks, node.asked.length]).toEqual([[], 1]);
      if (isOfStreams) return;
      await expect(langChain().invoke("Grüße")).rejects.toMatchObject({ status: 406, code });
      expect(node.asked).toHaveLength(2);
    },
  );
});

describe("what others send", () => {
  it.each<[string, Parameters<typeof send>[0], number, string]>([
    ["a web page's request", { headers: { origin: "https://page.example" } }, 403, "proxy.webPage"],
    ["a file's", { headers: { origin: "null" } }, 403, "proxy.webPage"],
    [
      "a page's without an origin",
      { method: "GET", path: "/v1/models", headers: { "sec-fetch-site": "cross-site" } },
      403,
      "proxy.webPage",
    ],
    [
      "a preflight",
      {
        method: "OPTIONS",
        headers: { origin: "https://page.example", "access-control-request-method": "POST" },
      },
      403,
      "proxy.webPage",
    ],
    ["a name that leads here", { headers: { host: "page.example" } }, 403, "proxy.otherHost"],
    [
      "the right name at another port",
      { headers: { host: "127.0.0.1:1" } },
      403,
      "proxy.otherHost",
    ],
    [
      "a health check by such a name",
      { method: "GET", path: "/health", headers: { host: "page.example" } },
      403,
      "proxy.otherHost",
    ],
    ["no token", { headers: { authorization: "" } }, 401, "proxy.otherToken"],
    ["another token", { headers: { authorization: `Bearer ${TOKEN}x` } }, 401, "proxy.otherToken"],
    ["a form's text", { headers: { "content-type": "text/plain" } }, 415, "proxy.notJson"],
    ["no JSON", { body: "{" }, 400, "proxy.badRequest"],
    ["a list", { body: "[]" }, 400, "proxy.badRequest"],
    [
      "a stream that is neither",
      { body: JSON.stringify({ ...REQUEST, stream: "yes" }) },
      400,
      "proxy.badRequest",
    ],
    ["no messages", { body: '{"model":"m"}' }, 400, "option.wrong"],
    [
      "a model that is not pinned",
      { body: JSON.stringify({ ...REQUEST, model: "x" }) },
      400,
      "option.wrong",
    ],
    ["too much", { body: `"${"x".repeat(4 * 1024 * 1024)}"` }, 413, "proxy.tooLarge"],
    ["another path", { path: "/v1/embeddings" }, 404, "proxy.unknownPath"],
    ["another method", { method: "DELETE" }, 405, "proxy.otherMethod"],
  ])("%s is refused, and no node hears of it", async (_name, parameters, status, code) => {
    const answer = await send(parameters);
    expect(answer).toMatchObject({ status, code, allowed: undefined });
    expect(node.asked).toEqual([]);
  });

  it("is answered: localhost by name, a health check without a token", async () => {
    const { host, port } = new URL(proxy.url);
    expect(host).toBe(`127.0.0.1:${port}`);
    expect(await send({ headers: { host: `LOCALHOST:${port}` } })).toMatchObject({ status: 200 });
    const headers = { authorization: "" };
    expect(await send({ method: "GET", path: "/health", headers })).toMatchObject({ status: 200 });
  });
});

it("lets go of the node when its client goes", async () => {
  let isGone: Promise<unknown> | undefined;
  const controller = new AbortController();
  node.lies = {
    instead(response) {
      isGone = new Promise((resolve) => response.on("close", resolve));
      controller.abort();
    },
  };
  const options = { signal: controller.signal };
  await expect(openai.chat.completions.create(REQUEST, options)).rejects.toThrow();
  await isGone;
});

it("answers what it has taken when it stops, and takes nothing more", async () => {
  const haca = createHaca({ chainId: CHAIN_ID, pins: PINS, nodes: [node.url] });
  const other = await startProxy({ haca, models: ["m"], token: TOKEN, port: 0 });
  const client = new OpenAI({ baseURL: other.url, apiKey: TOKEN, maxRetries: 0 });
  let go = (): void => undefined;
  const until = new Promise<void>((resolve) => (go = resolve));
  node.lies = { until };
  const taken = new Promise<void>((resolve) => (node.onAsked = resolve));
  const answer = client.chat.completions.create(REQUEST);
  await taken;
  const stopped = other.stop();
  await expect(client.models.list()).rejects.toThrow("Connection error");
  go();
  expect((await answer).choices[0]?.message.content).toBe(TEXT);
  await stopped;
});

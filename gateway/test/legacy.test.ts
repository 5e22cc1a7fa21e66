import { id } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ANSWER,
  answering,
  Bed,
  DONE,
  ends,
  eventsIn,
  frame,
  STREAM,
  says,
  streaming,
} from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";
import { HttpServer } from "./support/httpServer.ts";
import { expectLegacySigned, LEGACY_SIGNER, type LegacySignature } from "./support/legacySigned.ts";
import { sealRequest } from "./support/ohttpClient.ts";

const BATCH = { "x-settlement-type": "batch" };
/** Numbers in classes that a double would lose, and a key that comes twice. */
const TEXT =
  '{"model": "other", "model":"m","messages":[{"role":"user","content":"Say hello"}],"max_tokens":1e2,' +
  '"temperature":1,"response_format":{"a":1.0,"b":9007199254740993},"seed":7}';
const HASHED =
  '{"max_tokens": 100.0, "messages": [{"content": "Say hello", "role": "user"}], "model": "m", ' +
  '"response_format": {"a": 1.0, "b": 9007199254740993}, "temperature": 1.0}';
const CALLS = [{ id: "call_1", type: "function", function: { name: "f", arguments: '{"a": 1}' } }];
const CALLS_TEXT =
  '[{"function": {"arguments": "{\\"a\\": 1}", "name": "f"}, "id": "call_1", "type": "function"}]';

type Legacy = LegacySignature & {
  choices: { finish_reason: string | null; delta?: { content?: string; tool_calls?: unknown[] } }[];
  usage?: unknown;
  model: string;
};

let facilitator: HttpServer;
let bed: Bed;
const taking = answering({ settlementJob: {} }, 202);
beforeAll(async () => {
  facilitator = await HttpServer.start(taking);
  const settings = { url: facilitator.url, withinMs: 20_000 };
  bed = await Bed.start({ signer: LEGACY_SIGNER, facilitator: settings });
});
beforeEach(() => {
  bed.reset();
  facilitator.handler = taking;
  facilitator.received.length = 0;
});
afterAll(async () => {
  await bed.stop();
  await facilitator.stop();
});

/** What the facilitator was given of an answer. */
const submissions = () =>
  facilitator.received.map(({ headers, path }) => {
    expect(path).toBe("/settle_data");
    expect(headers["x-settlement-type"]).toBe("batch");
    const data = Buffer.from(String(headers["x-settlement-data"]), "base64");
    return JSON.parse(data.toString()) as Record<string, unknown>;
  });
const submissionOf = (answer: Legacy) => ({
  ...{ tee_id: answer.tee_id, tee_signature: answer.tee_signature },
  ...{ input_hash: answer.tee_request_hash, output_hash: answer.tee_output_hash },
  ...{ tee_timestamp: answer.tee_timestamp, timestamp: answer.tee_timestamp },
});
const ask = async (body: unknown, options: Parameters<Bed["post"]>[1] = {}) => {
  const response = await bed.post(body, { headers: BATCH, ...options });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text) as Legacy & Record<string, unknown>;
};
const stream = async (...frames: string[]) => {
  bed.upstream.handler = streaming(...frames);
  const body = `${TEXT.slice(0, -1)},"stream":true}`;
  const response = await bed.post(body, { headers: BATCH });
  return eventsIn(await response.text());
};

describe("an answer in the profile legacy", () => {
  it("is signed over what the public network's clients hash, with numbers as they were written", async () => {
    const answer = await ask(TEXT);
    expectLegacySigned(answer, { request: HASHED, output: "Hello, wörld" });
    expect(answer).toMatchObject({
      ...{ id: ANSWER.id, object: ANSWER.object, created: ANSWER.created, model: "m" },
      ...{ choices: ANSWER.choices, usage: ANSWER.usage },
      haca: { profile: "legacy", settlement: "batch" },
    });
    expect(bed.upstream.received[0]?.body).toBe(
      '{"model":"m","messages":[{"role":"user","content":"Say hello"}],"max_tokens":1e2,' +
        '"temperature":1,"response_format":{"a":1.0,"b":9007199254740993},"seed":7}',
    );
    // The facilitator settles it, and the worker's queue has nothing of it.
    expect(submissions()).toEqual([submissionOf(answer)]);
    expect(bed.results).toEqual([]);
    expect(bed.log.join()).not.toMatch(/Say hello|Hello, w/);
  });

  it("has its tool calls signed where they are why it ended", async () => {
    const call = { ...CALLS[0], index: 0, more: 1 };
    const message = { role: "assistant", content: null, tool_calls: [call], refusal: null };
    bed.upstream.handler = answering({
      ...ANSWER,
      choices: [{ index: 0, message, finish_reason: "tool_calls" }],
    });
    const answer = await ask(TEXT);
    expectLegacySigned(answer, { request: HASHED, output: CALLS_TEXT });
    const shown = { role: "assistant", content: "", tool_calls: CALLS };
    expect(answer.choices).toEqual([{ index: 0, message: shown, finish_reason: "tool_calls" }]);
  });

  it("is of the other interface, too", async () => {
    const choices = [{ index: 0, text: "a\u0000b", finish_reason: "stop" }];
    bed.upstream.handler = answering({ object: "text_completion", model: "x", choices });
    const asked = { model: "m", prompt: "p", temperature: 0, max_tokens: 5 };
    const answer = await ask(asked, { path: "completions" });
    const request = '{"max_tokens": 5, "model": "m", "prompt": "p", "temperature": 0.0}';
    expectLegacySigned(answer, { request, output: "a\u0000b" });
    expect(answer).toMatchObject({ choices, completion: "a\u0000b" });
  });

  it("is nobody's to settle where the client wants it private", async () => {
    const answer = await ask(TEXT, { headers: { "x-settlement-type": "private" } });
    expectLegacySigned(answer, { request: HASHED, output: "Hello, wörld" });
    expect(answer.haca).toEqual({ profile: "legacy", settlement: "private" });
    expect(facilitator.received).toEqual([]);
  });

  it("is given once the facilitator has it on its disk, and not at all where it refuses it", async () => {
    const asked = new Deferred();
    const answered = new Deferred();
    facilitator.handler = async (response, request) => {
      asked.resolve();
      await answered.promise;
      await taking(response, request);
    };
    let isAnswered = false;
    const answer = ask(TEXT).finally(() => {
      isAnswered = true;
    });
    await asked.promise;
    expect(isAnswered).toBe(false);
    answered.resolve();
    await answer;

    facilitator.handler = answering({ error: "no such node" }, 400);
    const refused = await bed.post(TEXT, { headers: BATCH });
    expect(refused.status).toBe(500);
    expect(await refused.json()).toEqual({
      error: "the facilitator does not take the answer, so that there is none: no such node",
    });
  });

  it("is offered again where the facilitator cannot judge it now", async () => {
    let count = 0;
    facilitator.handler = (response, request) => {
      count += 1;
      return count === 1 ? void response.writeHead(503).end() : taking(response, request);
    };
    const answer = await ask(TEXT);
    expect(submissions()).toEqual([submissionOf(answer), submissionOf(answer)]);
  });

  it.each<[string, object | string, Record<string, string>, RegExp]>([
    [
      "individual",
      TEXT,
      { "x-settlement-type": "individual" },
      /^x-settlement-type: individual is/,
    ],
    ["an unknown settlement", TEXT, { "x-settlement-type": "x" }, /^x-settlement-type: must be/],
    ["a key to ask again", TEXT, { ...BATCH, "idempotency-key": "k" }, /^idempotency-key: /],
    ["two choices", { model: "m", messages: [], n: 2 }, BATCH, /^n: must be 1/],
    ["an unknown model", { model: "o", messages: [] }, BATCH, /^model: /],
    ["an unknown role", { model: "m", messages: [{ role: "x" }] }, BATCH, /^messages\.0\.role: /],
    [
      "a temperature in words",
      { model: "m", messages: [], temperature: "1" },
      BATCH,
      /^temperature: /,
    ],
    ["no JSON", "{", BATCH, /^body: /],
  ])("is refused in the public network's form: %s", async (_, body, headers, message) => {
    const response = await bed.post(body, { headers });
    expect(response.status).toBe(400);
    expect((await response.json()) as object).toEqual({ error: expect.stringMatching(message) });
    expect(bed.upstream.received).toEqual([]);
  });

  it.each<[string, object]>([
    ["two choices", { choices: [0, 1].map((index) => ({ ...ANSWER.choices[0], index })) }],
    [
      "content that is no text",
      { choices: [{ index: 0, finish_reason: "stop", message: { content: 7 } }] },
    ],
    [
      "a tool call without a name",
      {
        choices: [
          {
            ...{ index: 0, finish_reason: "tool_calls" },
            message: { tool_calls: [{ id: "c", function: { arguments: "" } }] },
          },
        ],
      },
    ],
  ])("is not signed where the upstream answers %s", async (_, answer) => {
    bed.upstream.handler = answering({ ...ANSWER, ...answer });
    const response = await bed.post(TEXT, { headers: BATCH });
    expect(response.status).toBe(502);
    expect(facilitator.received).toEqual([]);
  });
});

describe("a stream in the profile legacy", () => {
  it("is text as it comes, and one frame with reason, usage and signature", async () => {
    const events = await stream(
      frame([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]),
      says("Hello, "),
      frame([{ index: 0, delta: { content: "wörld" }, finish_reason: "stop" }]),
      frame([], { usage: ANSWER.usage }),
      DONE,
    );
    expect(events.at(-1)).toBe("[DONE]");
    const frames = events.slice(0, -1).map((event) => JSON.parse(event) as Legacy);
    expect(frames.map(({ choices }) => choices[0]?.delta?.content)).toEqual([
      ...["Hello, ", "wörld", undefined],
    ]);
    expect(frames.map(({ choices, usage }) => [choices[0]?.finish_reason, usage])).toEqual([
      ...[
        [null, undefined],
        [null, undefined],
        ["stop", ANSWER.usage],
      ],
    ]);
    const last = frames.at(-1) as Legacy;
    expect(last.model).toBe("m");
    expectLegacySigned(last, { request: HASHED, output: "Hello, wörld" });
    expect(submissions()).toEqual([submissionOf(last)]);
  });

  it("has its tool calls as whole ones before the last frame", async () => {
    const piece = (call: object) =>
      frame([{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] }, finish_reason: null }]);
    const events = await stream(
      piece({ id: "call_1", type: "function", function: { name: "f", arguments: '{"a' } }),
      piece({ function: { arguments: '": 1}' } }),
      ends("tool_calls"),
      DONE,
    );
    const [called, last, ...more] = events.slice(0, -1).map((event) => JSON.parse(event) as Legacy);
    expect(more).toEqual([]);
    expect(called?.choices[0]?.delta?.tool_calls).toEqual([{ index: 0, ...CALLS[0] }]);
    expectLegacySigned(last as Legacy, { request: HASHED, output: CALLS_TEXT });
  });

  it("of the other interface is text, too", async () => {
    const piece = (text: string, finish_reason: string | null) =>
      frame([{ index: 0, text, finish_reason }]);
    bed.upstream.handler = streaming(piece("a", null), piece("b", "stop"), DONE);
    const body = { model: "m", prompt: "p", stream: true };
    const response = await bed.post(body, { headers: BATCH, path: "completions" });
    const events = eventsIn(await response.text());
    const last = JSON.parse(events.at(-2) ?? "") as Legacy;
    const request = '{"model": "m", "prompt": "p", "temperature": 0.0}';
    expectLegacySigned(last, { request, output: "ab" });
  });

  it("that fails says so in the public network's form, and is neither signed nor settled", async () => {
    const events = await stream(says("a"), frame([], { error: { message: "x" } }));
    expect(JSON.parse(events.at(-1) ?? "")).toEqual({
      error: expect.stringMatching(/^the upstream/),
    });
    expect(events.join()).not.toContain("tee_signature");
    expect(facilitator.received).toEqual([]);
    const second = await stream(says("a"), says("b", 1), ends(), DONE);
    expect(JSON.parse(second.at(-1) ?? "")).toEqual({
      error: expect.stringContaining("one choice"),
    });
  });

  it("of a client that goes is signed over what it was sent", async () => {
    const submitted = new Deferred<Record<string, unknown>>();
    facilitator.handler = async (response, request) => {
      await taking(response, request);
      submitted.resolve(submissions()[0] ?? {});
    };
    bed.upstream.handler = (response) => {
      response.writeHead(200, STREAM);
      response.write(says("Hello"));
      // Of a tool call a part alone: it is no part of what the client was sent.
      const tool_calls = [{ index: 0, function: { arguments: "{" } }];
      response.write(frame([{ index: 0, delta: { tool_calls }, finish_reason: null }]));
    };
    const gone = new AbortController();
    const asked = { ...JSON.parse(TEXT), stream: true };
    const response = await bed.post(asked, { headers: BATCH, signal: gone.signal });
    await response.body?.getReader().read();
    gone.abort();
    expect((await submitted.promise).output_hash).toBe(id("Hello").slice(2));
  });
});

it("a client that says nothing of a settlement has the profile haca-1", async () => {
  const { haca } = await bed.answer(
    JSON.parse(TEXT.replace('"model": "other", ', "").replace("9007199254740993", "1")),
  );
  expect(haca.profile).toBe("haca-1");
  expect(facilitator.received).toEqual([]);
});

it("a gateway without a facilitator has the profile haca-1 alone", async () => {
  const other = await Bed.forTest({ signer: LEGACY_SIGNER });
  const response = await other.post({ model: "m", messages: [] }, { headers: BATCH });
  expect(await response.json()).toMatchObject({ haca: { profile: "haca-1" } });
});

it("an oblivious request is answered in the profile legacy", async () => {
  const config = await fetch(`${bed.gateway.url}/v1/ohttp/config`);
  const { key_id: keyId, public_key } = (await config.json()) as {
    key_id: number;
    public_key: string;
  };
  const sealed = sealRequest({ keyId, publicKey: public_key }, TEXT);
  const post = (body: Uint8Array) =>
    fetch(`${bed.gateway.url}/v1/ohttp`, {
      ...{ method: "POST", body: Uint8Array.from(body) },
      headers: { "content-type": "message/ohttp-req" },
    });
  const response = await post(sealed.bytes);
  const answer = JSON.parse(sealed.open(new Uint8Array(await response.arrayBuffer()))) as Legacy;
  expectLegacySigned(answer, { request: HASHED, output: "Hello, wörld" });
  expect(submissions()).toEqual([submissionOf(answer)]);
  const other = sealRequest({ keyId, publicKey: public_key }, '{"model":"x"}');
  const refused = await post(other.bytes);
  expect(JSON.parse(other.open(new Uint8Array(await refused.arrayBuffer())))).toEqual({
    ...{ status: 400, body: { error: expect.stringMatching(/^model: /) } },
  });
});

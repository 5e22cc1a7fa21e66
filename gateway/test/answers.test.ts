import { decodeRequestId } from "@haca/protocol/requestId";
import { id, toUtf8Bytes } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { inputHashOf } from "../src/profile/hashes.ts";
import type { SignedResult } from "../src/profile/signAnswer.ts";
import {
  ANSWER,
  type Answer,
  answering,
  Bed,
  DONE,
  ends,
  eventsIn,
  frame,
  SIGNER,
  says,
  streaming,
  UPSTREAM_KEY,
  VERSION_ID,
} from "./support/bed.ts";
import { expectSigned as expectSignature } from "./support/expectSigned.ts";

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.start();
});
beforeEach(() => bed.reset());
afterAll(() => bed.stop());

const SALT = id("salt");
const QUESTION = { model: "m", messages: [{ role: "user", content: "Say hello" }], top_k: 4 };

const expectSigned = (result: SignedResult, request: unknown, salt: string, answer: object): void =>
  expectSignature({ result, request, salt, answer });

describe("an answer in one piece", () => {
  it("is the upstream's, signed over the request's canonical bytes and what was answered", async () => {
    const text = `{ "top_k": 4.0,\n "messages": [{"content": "Say hell\\u006f", "role": "user"}], "model": "m" }`;
    const answer = await bed.answer(text, { "haca-salt": SALT });
    const { haca, ...rest } = answer;
    expect(rest).toEqual(ANSWER);
    expect(haca).toMatchObject({ profile: "haca-1", salt: SALT });
    expectSigned(haca, QUESTION, SALT, ANSWER);
    expect(bed.results).toEqual([{ message: haca.message, signature: haca.signature }]);
  });

  it("sends exactly the hashed bytes upstream, our key, and nothing else of the client's", async () => {
    await bed.answer(QUESTION, { "haca-salt": SALT, authorization: "Bearer client", "x-own": "1" });
    const [received] = bed.upstream.received;
    expect(received?.path).toBe("/v1/chat/completions");
    const body = toUtf8Bytes(received?.body ?? "");
    expect(inputHashOf(SALT, body)).toBe(bed.results[0]?.message.inputHash);
    expect(received?.headers.authorization).toBe(`Bearer ${UPSTREAM_KEY}`);
    expect(Object.keys(received?.headers ?? {})).not.toContain("x-own");
    expect(JSON.stringify(received)).not.toContain(SALT.slice(2));
  });

  it("sends numbers upstream as they are hashed: the nearest double, where they have a point or an exponent", async () => {
    const numbers = "[-0,-0.0,1e-400,9007199254740993.0,1E2,0.30000000000000004441]";
    const { haca } = await bed.answer(`{"x":${numbers},"model":"m","messages":[]}`);
    const [{ body } = { body: "" }] = bed.upstream.received;
    expect(body).toBe(
      '{"messages":[],"model":"m","x":[0,0,0,9007199254740992,100,0.30000000000000004]}',
    );
    expect(haca.message.inputHash).toBe(inputHashOf(haca.salt, toUtf8Bytes(body)));
  });

  it("has a salt of its own where the client sends none, and an id of its own every time", async () => {
    const [one, two] = [await bed.answer(QUESTION), await bed.answer(QUESTION)];
    expect(one.haca.salt).toMatch(/^0x[0-9a-f]{64}$/);
    expect(two.haca.salt).not.toBe(one.haca.salt);
    expectSigned(one.haca, QUESTION, one.haca.salt, ANSWER);
    const [first, second] = [one, two].map(
      ({ haca }) => decodeRequestId(haca.message.requestId).nonce,
    );
    // Side by side, so that they share a page.
    expect(second).toBe((first ?? 0n) + 1n);
  });

  it("holds nothing that an upstream says in the gateway's place", async () => {
    bed.upstream.handler = answering({ ...ANSWER, haca: { profile: "forged" } });
    const { haca } = await bed.answer(QUESTION);
    expect(haca.profile).toBe("haca-1");
    expectSigned(haca, QUESTION, haca.salt, ANSWER);
  });

  it("is of the other interface, too", async () => {
    const completion = {
      model: "m",
      choices: [{ index: 0, text: "a\u0000", finish_reason: "length" }],
    };
    bed.upstream.handler = answering(completion);
    const request = { model: "m", prompt: "b" };
    const response = await bed.post(request, { path: "completions" });
    const { haca } = (await response.json()) as Answer;
    expect(bed.upstream.received[0]?.path).toBe("/v1/completions");
    expectSigned(haca, request, haca.salt, completion);
  });
});

describe("a stream", () => {
  const ASKED = { ...QUESTION, stream: true };
  const stream = async (...frames: string[]) => {
    bed.upstream.handler = streaming(...frames);
    const response = await bed.post(ASKED);
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    return eventsIn(await response.text());
  };

  it("passes frames on, and ends in one frame with reasons, usage and signature, before [DONE]", async () => {
    const events = await stream(
      ": comment\n\n",
      frame([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]),
      says("Hello, "),
      frame([{ index: 0, delta: { content: "wörld" }, finish_reason: "stop" }], {
        system_fingerprint: "fp_1",
      }),
      frame([], { usage: ANSWER.usage }),
      DONE,
    );
    expect(events.at(-1)).toBe("[DONE]");
    const frames = events.slice(0, -1).map((event) => JSON.parse(event) as Record<string, unknown>);
    const last = frames.at(-1) as Answer & Record<string, unknown>;
    const texts = frames.map(
      (f) => (f.choices as { delta: { content?: string } }[])[0]?.delta.content,
    );
    expect(texts).toEqual(["", "Hello, ", "wörld", undefined]);
    const marks = frames
      .slice(0, -1)
      .map(({ choices, usage }) => [
        usage,
        (choices as { finish_reason: unknown }[])[0]?.finish_reason,
      ]);
    expect(marks.flat().every((mark) => (mark ?? null) === null)).toBe(true);
    expect(last).toMatchObject({
      choices: [{ index: 0, finish_reason: "stop" }],
      usage: ANSWER.usage,
    });
    // The same hash as of the same answer in one piece.
    expectSigned(last.haca, ASKED, last.haca.salt, ANSWER);
    expect(bed.results).toHaveLength(1);
  });

  it("puts tool calls and several choices together", async () => {
    const call = (index: number, piece: object, choice = 0) =>
      frame([{ index: choice, delta: { tool_calls: [{ index, ...piece }] }, finish_reason: null }]);
    const events = await stream(
      frame([{ index: 1, delta: { role: "assistant", content: null }, finish_reason: null }]),
      call(1, { id: "call_b", type: "function", function: { name: "g", arguments: "" } }, 1),
      call(0, { id: "call_a", type: "function", function: { name: "f", arguments: '{"a' } }, 1),
      call(0, { function: { arguments: '": 1}' } }, 1),
      call(1, { function: { arguments: "{}" } }, 1),
      says("text"),
      ends("tool_calls", 1),
      ends("stop", 0),
      DONE,
    );
    const { haca } = JSON.parse(events.at(-2) ?? "") as Answer;
    const tool = (name: string, letter: string, text: string) => ({
      ...{ id: `call_${letter}`, type: "function", function: { name, arguments: text } },
    });
    const tool_calls = [tool("f", "a", '{"a": 1}'), tool("g", "b", "{}")];
    const message = { role: "assistant", content: null, tool_calls };
    expectSigned(haca, ASKED, haca.salt, {
      model: "m-2026",
      choices: [
        { index: 0, message: { content: "text" }, finish_reason: "stop" },
        { index: 1, message, finish_reason: "tool_calls" },
      ],
    });
  });

  it("holds nothing that an upstream says in the gateway's place", async () => {
    const forged = { haca: { profile: "forged" } };
    const delta = { content: "a" };
    const events = await stream(
      frame([{ index: 0, delta, finish_reason: null }], forged),
      frame([{ index: 0, delta, finish_reason: "stop" }], forged),
      DONE,
    );
    expect(events.join()).not.toContain("forged");
  });

  it("of the other interface is signed as its answer in one piece", async () => {
    const piece = (text: string, finish_reason: string | null) =>
      frame([{ index: 0, text, finish_reason }]);
    bed.upstream.handler = streaming(piece("a", null), piece("b", "length"), DONE);
    const request = { model: "m", prompt: "p", stream: true };
    const events = eventsIn(await (await bed.post(request, { path: "completions" })).text());
    const { haca } = JSON.parse(events.at(-2) ?? "") as Answer;
    const choices = [{ index: 0, text: "ab", finish_reason: "length" }];
    expectSigned(haca, request, haca.salt, { model: "m-2026", choices });
  });
});

describe("idempotency-key", () => {
  it("has the same request answered once, also where it comes while it is being answered", async () => {
    const headers = { "idempotency-key": "one" };
    const both = await Promise.all([bed.answer(QUESTION, headers), bed.answer(QUESTION, headers)]);
    const later = await bed.post(QUESTION, { headers });
    expect(later.headers.get("idempotent-replayed")).toBe("true");
    expect([both[1], await later.json()]).toEqual([both[0], both[0]]);
    expect(bed.upstream.received).toHaveLength(1);
    expect(bed.results).toHaveLength(1);
  });

  it("shows a stream again as it was", async () => {
    bed.upstream.handler = streaming(says("a"), ends(), DONE);
    const headers = { "idempotency-key": "stream" };
    const ask = async () =>
      await (await bed.post({ ...QUESTION, stream: true }, { headers })).text();
    expect(await ask()).toBe(await ask());
    expect(bed.results).toHaveLength(1);
  });

  it("is refused for another request, another salt or the other path, and free again after a failure", async () => {
    const headers = { "idempotency-key": "two" };
    bed.upstream.handler = answering({}, 500);
    expect((await bed.refusal(QUESTION, { headers })).status).toBe(502);
    bed.upstream.handler = answering(ANSWER);
    await bed.answer(QUESTION, headers);
    const other = { status: 400, code: "idempotency.otherRequest", param: "idempotency-key" };
    expect(await bed.refusal({ ...QUESTION, n: 1 }, { headers })).toMatchObject(other);
    const salted = { ...headers, "haca-salt": SALT };
    expect(await bed.refusal(QUESTION, { headers: salted })).toMatchObject(other);
    expect(await bed.refusal(QUESTION, { headers, path: "completions" })).toMatchObject(other);
  });
});

describe("what else it answers", () => {
  const get = async (path: string, headers = {}) =>
    await fetch(`${bed.gateway.url}${path}`, { headers });

  it("names its models with their versions", async () => {
    expect(await (await get("/v1/models")).json()).toMatchObject({
      object: "list",
      data: [{ id: "m", object: "model", haca: { modelVersion: VERSION_ID } }],
    });
  });

  it("shows the attested key, as JSON and as PEM", async () => {
    const { publicKey, teeId } = SIGNER;
    expect(await (await get("/signing-key")).json()).toMatchObject({
      ...{ public_key: publicKey, tee_id: teeId, session_key: null },
    });
    const pem = await get("/signing-key", { accept: "application/x-pem-file" });
    expect(await pem.text()).toBe(publicKey);
  });

  it("counts answers, results and failures", async () => {
    await bed.answer(QUESTION);
    await bed.refusal({});
    expect(await (await get("/health")).json()).toMatchObject({ status: "OK", running: 0 });
    const metrics = await (await get("/metrics")).text();
    expect(metrics).toMatch(/haca_gateway_results_total\{end="complete"\} [1-9]/);
    expect(metrics).toMatch(/haca_gateway_failures_total\{code="model.malformed"\} 1/);
    expect(metrics).toMatch(/haca_gateway_requests_total\{status="400"\} [1-9]/);
  });
});

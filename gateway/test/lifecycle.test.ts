import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { isObject } from "@haca/protocol/json/json";
import { readStrictJson } from "@haca/protocol/json/readJson";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { outputHashOf } from "../src/profile/hashes.ts";
import {
  ANSWER,
  type Answer,
  answering,
  Bed,
  DONE,
  ends,
  eventsIn,
  frame,
  STREAM,
  says,
  streaming,
  UPSTREAM,
  UPSTREAM_KEY,
} from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.start();
});
beforeEach(() => bed.reset());
afterAll(() => bed.stop());

const CONTENT = "whisper-4711";
const QUESTION = { model: "m", messages: [{ role: "user", content: CONTENT }] };
const ASKED = { ...QUESTION, stream: true };

describe("a client that goes", () => {
  it("in a stream has signed what it was sent, as client_disconnected", async () => {
    const ended = new Deferred();
    bed.upstream.handler = async (response) => {
      response.on("close", () => ended.resolve());
      response.writeHead(200, STREAM);
      response.write(says("Hello, "));
    };
    const delivered = new Deferred();
    const accepting = bed.queue.handler;
    bed.queue.handler = async (response, request) => {
      await accepting(response, request);
      delivered.resolve();
    };
    const leaving = new AbortController();
    const response = await bed.post(ASKED, {
      signal: leaving.signal,
      headers: { "idempotency-key": "gone" },
    });
    await response.body?.getReader().read();
    leaving.abort();
    // The upstream is let go of, and the result is there.
    await Promise.all([ended.promise, delivered.promise]);
    const again = await bed.post(ASKED, { headers: { "idempotency-key": "gone" } });
    const events = eventsIn(await again.text());
    const last = JSON.parse(events.at(-2) ?? "") as Answer;
    expect(last.choices).toEqual([{ index: 0, delta: {}, finish_reason: "client_disconnected" }]);
    expect(last.haca.message).toEqual(bed.results[0]?.message);
    const message = { content: "Hello, " };
    const answer = {
      model: "m-2026",
      choices: [{ index: 0, message, finish_reason: "client_disconnected" }],
    };
    const json = readStrictJson(new TextEncoder().encode(JSON.stringify(answer)));
    expect(last.haca.message.outputHash).toBe(isObject(json) && outputHashOf(json));
  });

  it("before anything was sent leaves nothing: neither a call nor a result", async () => {
    for (const body of [QUESTION, ASKED]) {
      bed.reset();
      const asked = new Deferred<ServerResponse>();
      bed.upstream.handler = (response) => asked.resolve(response);
      const leaving = new AbortController();
      const answer = bed.post(body, { signal: leaving.signal }).catch(() => undefined);
      const upstream = await asked.promise;
      const closed = once(upstream, "close");
      leaving.abort();
      await Promise.all([closed, answer]);
      expect(bed.results).toEqual([]);
    }
  });

  it("and takes nothing counts as gone", async () => {
    const more = says("y".repeat(60_000));
    const patient = await Bed.forTest({
      upstream: { ...UPSTREAM, maximumAnswer: 64 << 20 },
      limits: { body: 4_096, answerMs: 40_000, clientMs: 100 },
    });
    // More than the buffers on the way hold.
    patient.upstream.handler = (response) => {
      response.writeHead(200, STREAM);
      for (let i = 0; i < 500; i++) response.write(more);
    };
    const delivered = new Deferred();
    patient.queue.handler = (response) => {
      response.writeHead(202).end();
      delivered.resolve();
    };
    const socket = await open(patient.gateway.url);
    const body = JSON.stringify(ASKED);
    socket.pause();
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await delivered.promise;
    socket.destroy();
    expect(patient.results).toHaveLength(1);
  });
});

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  return socket;
}

describe("load", () => {
  it("beyond what is answered at once waits its turn, and beyond that is refused", async () => {
    const narrow = await Bed.forTest({ admission: { running: 1, waiting: 1, waitMs: 20_000 } });
    const responses: ServerResponse[] = [];
    let arrived: (() => void) | undefined;
    narrow.upstream.handler = (response) => {
      responses.push(response);
      arrived?.();
    };
    const first = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const one = narrow.answer(QUESTION);
    await first;
    const two = narrow.answer(QUESTION);
    const health = async () => {
      const response = await fetch(`${narrow.gateway.url}/health`);
      return (await response.json()) as { running: number; waiting: number };
    };
    await expect.poll(async () => (await health()).waiting).toBe(1);
    const three = await narrow.post(QUESTION);
    expect([three.status, three.headers.get("retry-after")]).toEqual([429, "1"]);
    const second = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    answering(ANSWER)(responses[0] as ServerResponse, { path: "", headers: {}, body: "" });
    await one;
    await second;
    answering(ANSWER)(responses[1] as ServerResponse, { path: "", headers: {}, body: "" });
    await two;
    expect(await health()).toMatchObject({ running: 0, waiting: 0 });
  });

  it("that waits too long is refused", async () => {
    const narrow = await Bed.forTest({ admission: { running: 1, waiting: 1, waitMs: 20 } });
    const asked = new Deferred<ServerResponse>();
    narrow.upstream.handler = (response) => asked.resolve(response);
    const one = narrow.answer(QUESTION);
    const response = await asked.promise;
    expect(await narrow.refusal(QUESTION)).toMatchObject({ status: 429, code: "gateway.busy" });
    answering(ANSWER)(response, { path: "", headers: {}, body: "" });
    await one;
  });
});

describe("stopping", () => {
  it("finishes streams, and answers nothing new", async () => {
    const stopped = await Bed.start();
    const asked = new Deferred<ServerResponse>();
    stopped.upstream.handler = (response) => {
      response.writeHead(200, STREAM).write(says("first"));
      asked.resolve(response);
    };
    const response = await stopped.post(ASKED);
    const text = response.text();
    const upstream = await asked.promise;
    const stop = stopped.gateway.stop();
    expect(
      await stopped.post(QUESTION).then(
        ({ status }) => status,
        () => 503,
      ),
    ).toBe(503);
    upstream.end(ends() + DONE);
    expect(eventsIn(await text).at(-1)).toBe("[DONE]");
    await stop;
    expect(stopped.results).toHaveLength(1);
    await stopped.stop();
  });

  it("gives up what takes too long, and says so", async () => {
    const stopped = await Bed.start({ stopMs: 50 });
    stopped.upstream.handler = (response) =>
      void response.writeHead(200, STREAM).write(says("first"));
    const response = await stopped.post(ASKED);
    const [events] = await Promise.all([response.text(), stopped.gateway.stop()]);
    expect(eventsIn(events).at(-1)).toContain("gateway.stopping");
    expect(stopped.results).toEqual([]);
    await stopped.stop();
  });
});

it("logs no prompt, answer, key or salt", async () => {
  const secrets = [CONTENT, UPSTREAM_KEY, "wörld", "first"];
  await bed.answer(QUESTION);
  bed.upstream.handler = answering({ error: { message: CONTENT } }, 400);
  await bed.refusal(QUESTION);
  await bed.refusal({ ...QUESTION, model: CONTENT });
  await bed.refusal(`{"${CONTENT}":1,"${CONTENT}":1}`);
  bed.upstream.handler = streaming(
    says("first"),
    frame([{ index: 0, delta: CONTENT, finish_reason: 1 }]),
  );
  await (await bed.post(ASKED)).text();
  await fetch(`${bed.gateway.url}/${CONTENT}?q=${CONTENT}`);
  const log = bed.log.join("");
  expect(log).toContain("answered");
  for (const secret of secrets) expect(log).not.toContain(secret);
  const metrics = await (await fetch(`${bed.gateway.url}/metrics`)).text();
  for (const secret of secrets) expect(metrics).not.toContain(secret);
});

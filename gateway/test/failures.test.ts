import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ANSWER,
  answering,
  Bed,
  DONE,
  ends,
  eventsIn,
  STREAM,
  says,
  streaming,
  UPSTREAM,
  UPSTREAM_KEY,
} from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";
import type { Handler } from "./support/httpServer.ts";

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.start({ limits: { body: 4_096, answerMs: 40_000, clientMs: 20_000 } });
});
beforeEach(() => bed.reset());
afterAll(() => bed.stop());

/** What of an upstream's words is shown at most. */
const MAXIMUM_WORDS = 500;
const QUESTION = { model: "m", messages: [{ role: "user", content: "hello" }] };
const ASKED = { ...QUESTION, stream: true };

describe("a request that is refused asks nobody", () => {
  const refused = async (body: unknown, options?: Parameters<Bed["refusal"]>[1]) => {
    const { code, param, status } = await bed.refusal(body, options);
    expect(bed.upstream.received).toEqual([]);
    expect(bed.results).toEqual([]);
    return [status, code, param];
  };

  it("for what its body says", async () => {
    const body = (text: string) => `{"model":"m","messages":[],"x":${text}}`;
    const malformed = [400, "body.malformed", "body"];
    const texts = [
      ...["1e400", "-1e400", "9007199254740993", "-9007199254740993", "{,}"],
      ...['"\\ud800"', '"\\udc00\\ud800"', '{"\\ud800":1}', '"\u0000"', '{"a":1,"\\u0061":2}'],
    ];
    for (const text of texts) expect(await refused(body(text))).toEqual(malformed);
    expect(await refused('{"model":"m","mod\\u0065l":"m"}')).toEqual(malformed);
    expect(await refused("\ufeff{}")).toEqual(malformed);
    expect(await refused("[]")).toEqual(malformed);
    expect(await refused("")).toEqual(malformed);
    expect(await refused({})).toEqual([400, "model.malformed", "model"]);
    expect(await refused({ model: "__proto__" })).toEqual([400, "model.unknown", "model"]);
    expect(await refused({ model: "m", stream: 1 })).toEqual([400, "stream.malformed", "stream"]);
  });

  it("for what is around it", async () => {
    const salts = ["0x00", `0x${"0".repeat(63)}g`, "0".repeat(64)];
    for (const salt of salts) {
      const expected = [400, "salt.malformed", "haca-salt"];
      expect(await refused(QUESTION, { headers: { "haca-salt": salt } })).toEqual(expected);
    }
    const long = { headers: { "idempotency-key": "k".repeat(256) } };
    expect(await refused(QUESTION, long)).toEqual([
      400,
      "idempotency.malformed",
      "idempotency-key",
    ]);
    const text = { headers: { "content-type": "text/plain" } };
    expect(await refused(QUESTION, text)).toEqual([415, "body.notJson", "content-type"]);
    expect(await refused(QUESTION, { path: "embeddings" })).toEqual([404, "path.unknown", null]);
    expect(await refused(QUESTION, { path: "models" })).toEqual([405, "method.notAllowed", null]);
    const large = { ...QUESTION, x: "y".repeat(5_000) };
    expect(await refused(large)).toEqual([413, "body.tooLarge", "body"]);
  });

  it("for a body that breaks off", async () => {
    const { hostname, port } = new URL(bed.gateway.url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    const head = [
      "POST /v1/chat/completions HTTP/1.1",
      "host: x",
      "content-type: application/json",
    ];
    socket.write(`${head.join("\r\n")}\r\ncontent-length: 999\r\n\r\n{"model":"m",`);
    const before = bed.log.length;
    socket.destroy();
    // Whatever became of it, the gateway has dealt with it before this, which came later.
    expect((await bed.answer(QUESTION)).choices).toHaveLength(1);
    expect(bed.upstream.received).toHaveLength(1);
    expect(bed.log.slice(before).join()).not.toContain("request failed");
  });

  it("for 100 MB that it is sent without a length, of which it reads no more than its limit", async () => {
    let produced = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        produced += 1 << 20;
        if (produced > 100 << 20) controller.close();
        else controller.enqueue(new Uint8Array(1 << 20).fill(0x20));
      },
    });
    // The answer, or the connection that is closed upon it, may come first.
    const status = await fetch(`${bed.gateway.url}/v1/completions`, {
      ...{ method: "POST", headers: { "content-type": "application/json" }, body },
      ...{ duplex: "half" },
    }).then(
      (response) => response.status,
      () => 413,
    );
    expect(status).toBe(413);
    expect(produced).toBeLessThan(100 << 20);
    expect((await bed.answer(QUESTION)).choices).toHaveLength(1);
  });
});

describe("an upstream that fails has no signature", () => {
  const failing = async (handler: Handler, changed = bed) => {
    changed.upstream.handler = handler;
    const { code, message, status } = await changed.refusal(QUESTION);
    expect(changed.results).toEqual([]);
    expect(JSON.stringify(message)).not.toContain(UPSTREAM_KEY);
    return [status, code];
  };

  it("by its status", async () => {
    const error = { error: { message: `no such parameter; key ${UPSTREAM_KEY}` } };
    expect(await failing(answering(error, 400))).toEqual([400, "upstream.refused"]);
    expect((await bed.refusal(QUESTION)).message).toContain("no such parameter; key …");
    expect(await failing(answering(error, 401))).toEqual([502, "upstream.unauthorized"]);
    expect(await failing(answering(error, 500))).toEqual([502, "upstream.failed"]);
    expect(await failing(answering("", 204))).toEqual([502, "upstream.malformed"]);
    const away: Handler = (response) => void response.writeHead(302, { location: "/" }).end();
    expect(await failing(away)).toEqual([502, "upstream.away"]);
  });

  it("in words that are cut before any part of the gateway's own key", async () => {
    const length = MAXIMUM_WORDS - UPSTREAM_KEY.length / 2;
    bed.upstream.handler = answering(
      { error: { message: `${"x".repeat(length)}${UPSTREAM_KEY}` } },
      400,
    );
    expect((await bed.refusal(QUESTION)).message).toMatch(/x…$/);
  });

  it("by 429, which is passed on with its time", async () => {
    bed.upstream.handler = (response) => void response.writeHead(429, { "retry-after": "7" }).end();
    const response = await bed.post(QUESTION);
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "7"]);
  });

  it("by what it says", async () => {
    const malformed = [502, "upstream.malformed"];
    const [choice] = ANSWER.choices;
    const bodies = [
      ...["", "{", "[]", '{"choices":[]}', '{"choices":[{}]}', '{"a":1,"a":1}', '{"a":1e400}'],
      { ...ANSWER, choices: [choice, choice] },
      { ...ANSWER, choices: [{ ...choice, finish_reason: null }] },
      { ...ANSWER, choices: [{ ...choice, message: "text" }] },
      { ...ANSWER, choices: [{ ...choice, index: -1 }] },
    ];
    for (const body of bodies) expect(await failing(answering(body))).toEqual(malformed);
  });

  it("by dying, silence, slowness and size", async () => {
    expect(await failing((response) => void response.destroy())).toEqual([502, "upstream.away"]);
    const cut: Handler = (response) => {
      response.writeHead(200, { "content-length": "999" }).write("{");
      response.destroy();
    };
    expect(await failing(cut)).toEqual([502, "upstream.away"]);
    const silent = await Bed.forTest({ upstream: { ...UPSTREAM, silenceMs: 50 } });
    expect(await failing(() => undefined, silent)).toEqual([504, "upstream.silent"]);
    const begun: Handler = (response) => void response.writeHead(200, STREAM).write(" ");
    expect(await failing(begun, silent)).toEqual([504, "upstream.silent"]);
    const slow = await Bed.forTest({ limits: { body: 4_096, answerMs: 50, clientMs: 20_000 } });
    expect(await failing(() => undefined, slow)).toEqual([504, "upstream.tooSlow"]);
    const packed: Handler = (response) => {
      const type = { "content-type": "application/json", "content-encoding": "gzip" };
      response.writeHead(200, type).end(gzipSync(JSON.stringify(ANSWER)));
    };
    // It was asked for no other than the plain one.
    expect(await failing(packed)).toEqual([502, "upstream.malformed"]);
    const megabytes = answering({ ...ANSWER, x: "y".repeat(2 << 20) });
    expect(await failing(megabytes)).toEqual([502, "upstream.tooLarge"]);
  });

  it("but not by closing a connection between two requests", async () => {
    const reused = new Set<number | undefined>();
    const closing: Handler = (response, request) => {
      const { socket } = response;
      reused.add(socket?.remotePort);
      answering(ANSWER)(response, request);
      response.on("finish", () => socket?.end());
    };
    bed.upstream.handler = closing;
    for (let i = 0; i < 5; i++) await bed.answer(QUESTION);
    expect(reused.size).toBe(5);
    expect(bed.results).toHaveLength(5);
  });

  it("where nobody listens at its address", async () => {
    const gone = await Bed.forTest({});
    await gone.upstream.stop();
    expect(await gone.refusal(QUESTION)).toMatchObject({ status: 502, code: "upstream.away" });
  });
});

describe("an upstream that fails in a stream ends it with an error, without signature and [DONE]", () => {
  const ended = async (handler: Handler, changed = bed) => {
    changed.upstream.handler = handler;
    const events = eventsIn(await (await changed.post(ASKED)).text());
    expect(events.join()).not.toContain('"haca"');
    expect(events).not.toContain("[DONE]");
    expect(changed.results).toEqual([]);
    expect(events[0]).toContain("first");
    return (JSON.parse(events.at(-1) ?? "") as { error: { code: string } }).error.code;
  };

  it("by ending too early", async () => {
    const midway = "upstream.failedMidway";
    expect(await ended(streaming(says("first")))).toBe(midway);
    expect(await ended(streaming(says("first"), ends()))).toBe(midway);
    expect(await ended(streaming(says("first"), DONE))).toBe(midway);
    expect(await ended(streaming(says("first"), says("b", 1), ends(), DONE))).toBe(midway);
    expect(await ended(streaming(says("first"), 'data: {"error":{"message":"x"}}\n\n'))).toBe(
      midway,
    );
    // The last event has no empty line after it.
    expect(await ended(streaming(says("first"), ends(), "data: [DONE]\n"))).toBe(midway);
    const dying: Handler = (response) => {
      response.writeHead(200, STREAM);
      response.write(says("first"), () => response.destroy());
    };
    expect(await ended(dying)).toBe("upstream.away");
  });

  it("by a second last frame, and whatever comes after the end of a choice", async () => {
    const malformed = "upstream.malformed";
    expect(await ended(streaming(says("first"), ends(), ends(), DONE))).toBe(malformed);
    expect(await ended(streaming(says("first"), ends(), says("more"), DONE))).toBe(malformed);
  });

  it("by frames that are none", async () => {
    const bodies = [
      "{",
      "[]",
      "{}",
      '{"choices":{}}',
      '{"choices":[{"index":"0"}]}',
      '{"choices":[],"a":1,"a":2}',
    ];
    for (const body of bodies) {
      expect(await ended(streaming(says("first"), `data: ${body}\n\n`, DONE))).toBe(
        "upstream.malformed",
      );
    }
  });

  it("by silence and size", async () => {
    const silent = await Bed.forTest({ upstream: { ...UPSTREAM, silenceMs: 50 } });
    const begun: Handler = (response) => void response.writeHead(200, STREAM).write(says("first"));
    expect(await ended(begun, silent)).toBe("upstream.silent");
    // Never silent, and never done.
    const slow = await Bed.forTest({ limits: { body: 4_096, answerMs: 300, clientMs: 20_000 } });
    const dripping: Handler = (response) => {
      response.writeHead(200, STREAM).write(says("first"));
      const timer = setInterval(() => response.write(says("")), 10);
      response.on("close", () => clearInterval(timer));
    };
    expect(await ended(dripping, slow)).toBe("upstream.tooSlow");
    const megabytes = streaming(says("first"), says("y".repeat(2 << 20)));
    expect(await ended(megabytes)).toBe("upstream.tooLarge");
  });

  it("has the HTTP status, where it does not even begin", async () => {
    bed.upstream.handler = answering({}, 500);
    expect(await bed.refusal(ASKED)).toMatchObject({ status: 502, code: "upstream.failed" });
    bed.upstream.handler = answering(ANSWER);
    expect(await bed.refusal(ASKED)).toMatchObject({ status: 502, code: "upstream.malformed" });
  });
});

describe("without the queue there is no answer", () => {
  it("where the worker refuses the result", async () => {
    const error = { code: "result.notInService", message: "message.teeId: is not in service" };
    bed.queue.handler = answering({ error }, 400);
    const refusal = await bed.refusal(QUESTION);
    expect(refusal).toMatchObject({ status: 500, code: "queue.refused" });
    expect(refusal.message).toContain("result.notInService");
    bed.upstream.handler = streaming(says("first"), ends(), DONE);
    const events = eventsIn(await (await bed.post(ASKED)).text());
    expect(events.at(-1)).toContain("queue.refused");
    expect(events.join()).not.toContain('"haca"');
    expect(events).not.toContain("[DONE]");
  });

  it("where it does not answer in time; where it does so at the third offer, it is the same result", async () => {
    const brief = await Bed.forTest({ queue: { url: "", secret: undefined, withinMs: 100 } });
    brief.queue.handler = answering({}, 503);
    expect(await brief.refusal(QUESTION)).toMatchObject({ status: 503, code: "queue.away" });
    const accepting = bed.queue.handler;
    let offers = 0;
    bed.queue.handler = (response, request) => {
      offers += 1;
      if (offers === 1) response.destroy();
      else if (offers === 2) answering({}, 503)(response, request);
      else return accepting(response, request);
    };
    const { haca } = await bed.answer(QUESTION);
    expect(bed.results).toHaveLength(3);
    expect(new Set(bed.results.map(({ message }) => message.requestId))).toEqual(
      new Set([haca.message.requestId]),
    );
  });

  it("and neither answer nor signature go out before the result is taken", async () => {
    for (const body of [QUESTION, ASKED]) {
      bed.upstream.handler =
        body === ASKED ? streaming(says("first"), ends(), DONE) : answering(ANSWER);
      const asked = new Deferred<ServerResponse>();
      bed.queue.handler = (response) => asked.resolve(response);
      let seen = "";
      const reading = (async () => {
        const stream = (await bed.post(body)).body ?? [];
        for await (const chunk of stream) seen += new TextDecoder().decode(chunk);
      })();
      const queueAnswer = await asked.promise;
      // What the gateway had sent by now would be here before its answer to this.
      await (await fetch(`${bed.gateway.url}/health`)).text();
      expect(seen).not.toMatch(/"haca"|DONE|finish_reason":"stop/);
      queueAnswer.writeHead(202).end();
      await reading;
      expect(seen).toContain('"haca"');
    }
  });
});

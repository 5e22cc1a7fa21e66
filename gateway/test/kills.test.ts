import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type Answer,
  accepting,
  answering,
  DONE,
  ends,
  eventsIn,
  says,
  streaming,
} from "./support/bed.ts";
import { ask, Command, type Started } from "./support/command.ts";

const PROMPT = "prompt-4711";
const QUESTION = { model: "m", messages: [{ role: "user", content: PROMPT }] };
const STREAMED = { ...QUESTION, stream: true };
const NOT_IN_SERVICE = answering({ error: { code: "result.notInService", message: "no" } }, 400);

let command: Command;
let count = 0;
let headers: Record<string, string>;
beforeAll(async () => {
  command = await Command.prepare();
});
beforeEach(() => {
  command.reset();
  count += 1;
  headers = { "idempotency-key": `key-4711-${count}` };
});
afterAll(() => command.stop());

/** The signed part of an answer: of a stream, its last frame. */
async function signedIn(response: Response): Promise<Answer["haca"]> {
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  return (JSON.parse(isStream ? (eventsIn(text).at(-2) ?? "") : text) as Answer).haca;
}

const handedIn = (): string[] =>
  command.worker.received.map(({ body }) => (JSON.parse(body) as Answer["haca"]).message.requestId);

/** Asks, and kills the gateway when the result is offered to the worker, which has taken it or not. */
async function killAtDelivery(body: object, changes?: Record<string, string>): Promise<void> {
  const gateway = await command.start(changes);
  command.worker.handler = () => void gateway.child.kill("SIGKILL");
  const answer = ask(gateway.url, body, headers).then((response) => response.text());
  const text = await answer.catch(() => "");
  expect(text).not.toContain('"haca"');
  await gateway.code;
}

const restart = async (): Promise<Started> => {
  command.worker.handler = accepting;
  return await command.start();
};

describe("kill -9 between the upstream's answer and the worker's word", () => {
  for (const [kind, body] of [
    ["an answer in one piece", QUESTION],
    ["a stream", STREAMED],
  ] as const) {
    it(`leaves ${kind} that is settled once, and shown to who asks again`, async () => {
      if (body === STREAMED) {
        command.upstream.handler = streaming(says("Hello, "), says("wörld"), ends(), DONE);
      }
      await killAtDelivery(body);
      const [requestId] = handedIn();
      const { url } = await restart();
      // Handed in before it listens, whether or not anybody asks again.
      expect(handedIn()).toEqual([requestId, requestId]);
      const again = await ask(url, body, headers);
      expect(again.headers.get("idempotent-replayed")).toBe("true");
      expect((await signedIn(again)).message.requestId).toBe(requestId);
      expect(command.upstream.received).toHaveLength(1);
      expect(handedIn()).toHaveLength(2);
    });
  }

  it("has the next start wait for a worker that is away", async () => {
    await killAtDelivery(QUESTION);
    let offers = 0;
    command.worker.handler = (response, request) => {
      offers += 1;
      return (offers < 5 ? answering({}, 503) : accepting)(response, request);
    };
    // Three offers fit into that time at most: the start goes on after it is over.
    const { lines } = await command.start({ HACA_GATEWAY_QUEUE_MS: "200" });
    // What was taken as its time was over is offered once more.
    expect(offers).toBeGreaterThanOrEqual(5);
    expect(lines.join()).toContain("queue.away");
  });

  it("keeps nothing of a result that the worker refuses", async () => {
    await killAtDelivery(QUESTION);
    command.worker.handler = NOT_IN_SERVICE;
    const { url } = await command.start();
    command.worker.handler = accepting;
    const { message } = await signedIn(await ask(url, QUESTION, headers));
    expect(handedIn()).toEqual([expect.any(String), expect.any(String), message.requestId]);
    expect(new Set(handedIn()).size).toBe(2);
  });

  it("ends the next start in one line where the worker takes nothing from here", async () => {
    await killAtDelivery(QUESTION);
    const error = { code: "collect.unauthorized", message: "authorization: is another secret" };
    command.worker.handler = answering({ error }, 401);
    const { code, error: said } = await command.run(["start"]);
    expect([code, said]).toEqual([1, expect.stringMatching(/^HACA_GATEWAY_QUEUE: .*secret\n$/)]);
    await restart();
    expect(new Set(handedIn()).size).toBe(1);
  });
});

it("kill -9 while the upstream answers leaves nothing, and the key free", async () => {
  const gateway = await command.start();
  command.upstream.handler = () => void gateway.child.kill("SIGKILL");
  await ask(gateway.url, QUESTION, headers).catch(() => undefined);
  await gateway.code;
  command.reset();
  const { url } = await restart();
  expect(handedIn()).toEqual([]);
  const answer = await ask(url, QUESTION, headers);
  expect(answer.headers.get("idempotent-replayed")).toBeNull();
  expect([(await signedIn(answer)).message.requestId]).toEqual(handedIn());
});

describe("what is kept", () => {
  it("outlives the process, is refused to another request, and opens only with key and request", async () => {
    const before = await command.start();
    const first = await signedIn(await ask(before.url, QUESTION, headers));
    before.child.kill("SIGKILL");
    await before.code;
    const { url } = await command.start();
    const other = await ask(url, { ...QUESTION, n: 1 }, headers);
    expect([other.status, await other.text()]).toEqual([
      400,
      expect.stringContaining("idempotency.otherRequest"),
    ]);
    expect(await signedIn(await ask(url, QUESTION, headers))).toEqual(first);
    expect(handedIn()).toEqual([first.message.requestId]);
    const folder = join(command.folder, "answers");
    const files = readdirSync(folder).map((name) => name + readFileSync(join(folder, name)));
    expect(files.join()).toContain(first.message.requestId);
    for (const secret of [PROMPT, "wörld", "key-4711"]) expect(files.join()).not.toContain(secret);
  });

  it("needs a folder: without one the start ends in one line", async () => {
    const path = join(command.folder, "key.pem", "answers");
    const { code, error } = await command.run(["start"], { HACA_GATEWAY_ANSWERS: path });
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/^HACA_GATEWAY_ANSWERS: .*cannot be used: ENOTDIR\n$/),
    ]);
  });
});

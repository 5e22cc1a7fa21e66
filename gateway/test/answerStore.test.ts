import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ANSWER, answering, Bed, DONE, ends, eventsIn, says, streaming } from "./support/bed.ts";

const QUESTION = { model: "m", messages: [] };
const key = (name: string) => ({ "idempotency-key": name });

it("the oldest answers go where there is no room, and are made again", async () => {
  const bed = await Bed.forTest({ answers: { folder: "", maximumBytes: 6_000 } });
  for (const name of ["a", "b", "c"]) await bed.answer(QUESTION, key(name));
  const replayed = async (name: string) =>
    (await bed.post(QUESTION, { headers: key(name) })).headers.get("idempotent-replayed");
  expect(readdirSync(bed.folder)).toHaveLength(2);
  expect([await replayed("c"), await replayed("a")]).toEqual(["true", null]);
  expect(bed.upstream.received).toHaveLength(4);
});

it("a result that the worker did not take in time is handed in when the request comes again", async () => {
  const queue = { url: "", secret: undefined, withinMs: 100 };
  const bed = await Bed.forTest({ queue });
  for (const stream of [false, true]) {
    bed.reset();
    if (stream) bed.upstream.handler = streaming(says("a"), ends(), DONE);
    const accepting = bed.queue.handler;
    // What is lost on its way back was taken, too.
    bed.queue.handler = (response) => void response.destroy();
    const asked = { headers: key(`away-${stream}`) };
    const body = { ...QUESTION, stream };
    expect(await (await bed.post(body, asked)).text()).toContain("queue.away");
    const offered = bed.results.map(({ message }) => message.requestId);
    bed.queue.received.length = 0;
    bed.queue.handler = accepting;
    const text = await (await bed.post(body, asked)).text();
    const { haca } = JSON.parse(stream ? (eventsIn(text).at(-2) ?? "") : text);
    expect(bed.results.map(({ message }) => message.requestId)).toEqual([haca.message.requestId]);
    expect(new Set(offered)).toEqual(new Set([haca.message.requestId]));
    expect(bed.upstream.received).toHaveLength(1);
  }
});

it("without a disk there is no answer to a request with a key, and no result", async () => {
  const bed = await Bed.forTest({});
  rmSync(bed.folder, { recursive: true });
  writeFileSync(bed.folder, "");
  expect(await bed.refusal(QUESTION, { headers: key("d") })).toMatchObject({
    ...{ status: 503, code: "answers.notKept" },
  });
  expect(bed.results).toEqual([]);
  await bed.answer(QUESTION);
  expect(bed.results).toHaveLength(1);
});

it("an answer that can no longer be read is told of once, and made again", async () => {
  const bed = await Bed.forTest({});
  await bed.answer(QUESTION, key("e"));
  const [name = ""] = readdirSync(bed.folder);
  writeFileSync(join(bed.folder, name), "{}\n");
  expect(await bed.refusal(QUESTION, { headers: key("e") })).toMatchObject({
    ...{ status: 500, code: "answers.unreadable" },
  });
  bed.upstream.handler = answering(ANSWER);
  await bed.answer(QUESTION, key("e"));
  expect(bed.results).toHaveLength(2);
});

import type { ServerResponse } from "node:http";
import { id, ZeroAddress, ZeroHash } from "ethers";
import { expect, it, onTestFinished } from "vitest";
import type { SignedResult } from "../src/profile/signAnswer.ts";
import { ResultQueue } from "../src/queue/resultQueue.ts";
import { accepting, answering, resultsIn } from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";
import { HttpServer } from "./support/httpServer.ts";

const result = (name: string): SignedResult => ({
  message: {
    ...{ modelVersion: ZeroHash, inputHash: ZeroHash, outputHash: ZeroHash, teeId: ZeroHash },
    ...{ requester: ZeroAddress, requestId: id(name), price: "0", timestamp: "1" },
  },
  signature: "0x00",
});

it("results that wait go together, and one that is refused keeps no other out", async () => {
  const worker = await HttpServer.start(accepting);
  onTestFinished(() => worker.stop());
  const queue = new ResultQueue({ url: worker.url, secret: undefined, withinMs: 20_000 });
  const held: ServerResponse[] = [];
  const both = new Deferred();
  worker.handler = (response) => {
    held.push(response);
    if (held.length === 2) both.resolve();
  };
  // So many are on their way at the same time, each alone.
  const first = ["first", "second"].map((name) => queue.deliver(result(name)));
  await both.promise;
  const names = ["a", "b", "c"];
  const ends = names.map((name) =>
    queue.deliver(result(name)).then(
      () => "taken",
      (error: { code: string }) => error.code,
    ),
  );
  worker.handler = (response, request) => {
    const isBad = resultsIn(request.body).some(({ message }) => message.requestId === id("b"));
    const error = { code: "result.notInService", message: "message.teeId: is not in service" };
    (isBad ? answering({ error }, 400) : accepting)(response, request);
  };
  held[0]?.writeHead(202).end();
  expect(await Promise.all(ends)).toEqual(["taken", "queue.refused", "taken"]);
  const asked = worker.received.map(({ body }) =>
    resultsIn(body).map(({ message }) => message.requestId),
  );
  expect(asked.slice(0, 2).sort()).toEqual([[id("first")], [id("second")]].sort());
  expect(asked.slice(2)).toEqual([names.map(id), [id("a")], [id("b")], [id("c")]]);
  held[1]?.writeHead(202).end();
  await Promise.all(first);
});

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
  const begun = new Deferred<ServerResponse>();
  worker.handler = (response) => begun.resolve(response);
  const first = queue.deliver(result("first"));
  const held = await begun.promise;
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
  held.writeHead(202).end();
  await first;
  expect(await Promise.all(ends)).toEqual(["taken", "queue.refused", "taken"]);
  const asked = worker.received.map(({ body }) =>
    resultsIn(body).map(({ message }) => message.requestId),
  );
  expect(asked).toEqual([[id("first")], names.map(id), [id("a")], [id("b")], [id("c")]]);
});

/** An upstream that answers at once with the same words, in a process of its own: prints its address when it listens. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

/** What a request asks of this upstream, in a field that means nothing to any other. */
export type Bench = {
  /** before it answers */
  delayMs?: number;
  /** a stream stops after its first frame until somebody asks for `/release` */
  holds?: boolean;
};

const CONTENT = "The quick brown fox jumps over the lazy dog.";
const PIECES = 4;
const common = { id: "c", created: 1, model: "null" };
const ANSWER = JSON.stringify({
  ...common,
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: CONTENT }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 10, total_tokens: 11 },
});
const frame = (delta: object, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({
    ...common,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason }],
  })}\n\n`;
const FIRST = frame({ role: "assistant", content: CONTENT });
const REST = `${frame({ content: CONTENT }).repeat(PIECES)}${frame({}, "stop")}data: [DONE]\n\n`;

const held: ServerResponse[] = [];
const server = createServer(async (request, response) => {
  if (request.url === "/release") {
    for (const stream of held.splice(0)) stream.end(REST);
    response.end();
    return;
  }
  const body = (await json(request)) as { stream?: boolean; bench?: Bench };
  const { delayMs = 0, holds = false } = body.bench ?? {};
  if (delayMs > 0) await pause(delayMs);
  if (body.stream !== true) {
    response.writeHead(200, { "content-type": "application/json" }).end(ANSWER);
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" }).write(FIRST);
  if (holds) held.push(response);
  else response.end(REST);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

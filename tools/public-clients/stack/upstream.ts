import { HttpServer, type Received } from "../../../gateway/test/support/httpServer.ts";

/** A word of every answer, by which a test alters it. */
export const MARK = "genuine";
/** Texts with characters that a wrong encoding would lose. */
export const TEXT = `A ${MARK} "naïve" answer: 𝄞\n\u007f`;
export const COMPLETION = ` ${MARK} übrigens`;
export const CALL = {
  ...{ id: "call_1", type: "function" },
  function: { name: "weather", arguments: `{"city": "${MARK} Zürich"}` },
};
const USAGE = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };

type Asked = { stream?: boolean; tools?: unknown[] };

/** Something that answers as an OpenAI-compatible interface does: with a tool call where there are tools. */
export const startUpstream = (): Promise<HttpServer> =>
  HttpServer.start((response, { body, path }: Received) => {
    const { stream = false, tools } = JSON.parse(body) as Asked;
    const common = { id: "chatcmpl-1", created: 1_800_000_000, model: "m-2026" };
    if (path.endsWith("/completions") && !path.endsWith("/chat/completions")) {
      const choices = [{ index: 0, text: COMPLETION, finish_reason: "stop" }];
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ ...common, object: "text_completion", choices, usage: USAGE }));
      return;
    }
    const isCall = tools !== undefined;
    const reason = isCall ? "tool_calls" : "stop";
    if (!stream) {
      const message = {
        role: "assistant",
        ...(isCall ? { content: null, tool_calls: [CALL] } : { content: TEXT }),
      };
      const choices = [{ index: 0, message, finish_reason: reason }];
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ ...common, object: "chat.completion", choices, usage: USAGE }));
      return;
    }
    const frame = (delta: object, finish_reason: string | null, rest: object = {}) =>
      `data: ${JSON.stringify({ ...common, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }], ...rest })}\n\n`;
    const deltas = isCall ? piecesOfCall() : piecesOf(TEXT).map((content) => ({ content }));
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const delta of deltas) response.write(frame(delta, null));
    response.end(`${frame({}, reason, { usage: USAGE })}data: [DONE]\n\n`);
  });

/** At its spaces, so that no character is cut. */
const piecesOf = (text: string): string[] => text.split(/(?<= )/);

function piecesOfCall(): object[] {
  const { function: called, ...rest } = CALL;
  const first = { index: 0, ...rest, function: { name: called.name, arguments: "" } };
  const more = piecesOf(called.arguments).map((text) => ({
    ...{ index: 0, function: { arguments: text } },
  }));
  return [first, ...more].map((call) => ({ tool_calls: [call] }));
}

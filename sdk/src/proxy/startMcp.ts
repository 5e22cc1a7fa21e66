import type { IncomingMessage, ServerResponse } from "node:http";
import { createMcpHandler, type McpServer } from "@modelcontextprotocol/server";
import { requireJson, requireToken } from "./guard.ts";
import { readBody } from "./readRequest.ts";
import { type LocalServer, pathOf, refusePath, requireMethod, serveLocal } from "./serveLocal.ts";

const PATH = "/mcp";

/** The Model Context Protocol by HTTP on this machine, for callers with the token. */
export async function startMcp(options: {
  makeServer: () => McpServer;
  token: string;
  port: number;
}): Promise<{ url: string; stop: LocalServer["stop"] }> {
  // Nothing of what the server has changes: there is nothing to subscribe to, and no stream without an end.
  const handler = createMcpHandler(options.makeServer, { maxSubscriptions: 0 });
  const { origin, stop } = await serveLocal(options.port, async (request, response) => {
    requireToken(request, options.token);
    if (pathOf(request) !== PATH) refusePath();
    requireMethod(request, "POST");
    requireJson(request);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const asked = new Request(`${origin}${PATH}`, {
      ...{ method: "POST", headers: headersOf(request), body: await readBody(request) },
      signal: gone.signal,
    });
    await send(await handler.fetch(asked), response);
  });
  return { url: `${origin}${PATH}`, stop };
}

const headersOf = ({ headers }: IncomingMessage): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) =>
    typeof value === "string" && name !== "authorization" ? [[name, value]] : [],
  );

async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  for await (const chunk of answer.body ?? []) response.write(chunk);
  response.end();
}

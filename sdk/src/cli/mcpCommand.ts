import { BaseError } from "@haca/protocol/baseError";
import { listening, readPort, readToken } from "./listening.ts";
import { type ClientArguments, openClient } from "./openClient.ts";
import { printable } from "./print.ts";
import { UsageError } from "./readInput.ts";
import { receiptFolder } from "./receiptFolder.ts";

export type McpArguments = ClientArguments & { port?: string; receipts?: string };

/** `haca mcp`: starts it, and says where it listens. By standard input and output nothing is said: that is the protocol's. */
export async function runMcp(
  options: McpArguments,
  env: NodeJS.ProcessEnv,
): Promise<{ stop: () => Promise<void>; text: string }> {
  const port = options.port === undefined ? undefined : readPort(options.port);
  const { createMcpServer, serveStdio, startMcp } = await load();
  const { haca, pins, policy } = await openClient(options);
  const makeServer = createMcpServer({
    ...{ haca, pins, policy, rpcs: options.rpc ?? [], onError: tell },
    isOblivious: options.oblivious === true,
    keep: options.receipts === undefined ? undefined : receiptFolder(options.receipts),
  });
  if (port === undefined) {
    const { close } = serveStdio(makeServer, { maxSubscriptions: 0 });
    return { stop: close, text: "" };
  }
  const { said, token } = readToken("HACA_MCP_TOKEN", env);
  const { stop, url } = await listening(() => startMcp({ makeServer, token, port }));
  return { stop, text: `listening on ${url}\n${said}` };
}

/** What the protocol needs of others is installed by those who use it. */
async function load() {
  try {
    const [{ createMcpServer }, { startMcp }, { serveStdio }] = await Promise.all([
      import("../adapters/mcp/createMcpServer.ts"),
      import("../proxy/startMcp.ts"),
      import("@modelcontextprotocol/server/stdio"),
    ]);
    return { createMcpServer, serveStdio, startMcp };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UsageError("mcp: needs the package @modelcontextprotocol/server installed beside");
  }
}

/** Why something failed, to whom runs the server. */
function tell(error: unknown): void {
  const isKnown = error instanceof BaseError;
  const words = isKnown ? `${error.code}: ${error.message}` : String(error);
  process.stderr.write(`${printable(words.replaceAll(/\s+/g, " "))}\n`);
}

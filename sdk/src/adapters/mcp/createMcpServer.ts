import { McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import manifest from "../../../package.json" with { type: "json" };
import type { Haca } from "../../client/createHaca.ts";
import type { Policy } from "../../isVerified.ts";
import type { Pins } from "../../pins.ts";
import { MEDIA_TYPE, type Receipt } from "../../receipt/receipt.ts";
import { Receipts } from "./receipts.ts";
import { registerChat, registerInfer, registerVerify, registerWait } from "./tools.ts";

export type McpOptions = {
  /** what is asked; pays nothing unless it was made to */
  haca: Haca;
  /** with what receipts are checked that come from elsewhere */
  pins: Pins;
  rpcs?: readonly string[];
  policy?: Policy;
  /** told of each answer's receipt before the answer is given; where it throws, the answer is not */
  keep?: ((receipt: Receipt) => void | Promise<void>) | undefined;
  /** told of what failed, in words that may be a stranger's: callers get its code */
  onError?: ((error: unknown) => void) | undefined;
};

/**
 * Servers of the Model Context Protocol, one for each connection, as `serveStdio` and `createMcpHandler` of
 * `@modelcontextprotocol/server` take them. They answer with what is verified and the lines that say so, and have the last receipts
 * in common.
 */
export function createMcpServer(options: McpOptions): () => McpServer {
  const receipts = new Receipts();
  const context = { ...options, rpcs: options.rpcs ?? [], receipts };
  return () => {
    const server = new McpServer(
      { name: "haca", version: manifest.version },
      { instructions: INSTRUCTIONS },
    );
    for (const register of [registerChat, registerInfer, registerVerify, registerWait]) {
      register(server, context);
    }
    server.registerResource(
      "receipt",
      new ResourceTemplate("haca://receipts/{id}", { list: undefined }),
      { title: "Receipt of an answer", mimeType: MEDIA_TYPE },
      ({ href: uri }, { id }) => ({
        contents: [{ uri, mimeType: MEDIA_TYPE, text: receipts.get(String(id)) }],
      }),
    );
    return server;
  };
}

const INSTRUCTIONS =
  "Asks models whose answers anybody can check. An answer is verified before it is given; without that there is an error and no " +
  "answer. Each comes with the lines that say what was checked, and the id of its receipt.";

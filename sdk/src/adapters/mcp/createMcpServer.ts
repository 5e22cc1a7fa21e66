import { McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import manifest from "../../../package.json" with { type: "json" };
import { MEDIA_TYPE } from "../../receipt/receipt.ts";
import type { McpOptions } from "./mcpOptions.ts";
import { Receipts } from "./receipts.ts";
import { registerChat, registerInfer, registerVerify, registerWait } from "./tools.ts";

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
    const infers = options.isOblivious ? [] : [registerInfer];
    for (const register of [registerChat, ...infers, registerVerify, registerWait]) {
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

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import {
  Client,
  InMemoryTransport,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioClientTransport1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as StreamableHTTPClientTransport1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMcpServer } from "../src/adapters/mcp/createMcpServer.ts";
import { runMcp } from "../src/cli/mcpCommand.ts";
import { createHaca } from "../src/client/createHaca.ts";
import { isVerified } from "../src/isVerified.ts";
import { verify } from "../src/verify.ts";
import { HOSTILE, QUESTION } from "./support/agents.ts";
import { servedChains } from "./support/chains.ts";
import { ChatNode, type Lies, PINS, TEXT } from "./support/chatNode.ts";
import { type Contracts, SETTLEMENT } from "./support/fakeChain.ts";
import { ANSWER, INPUT, PINNED_MODEL, serveInferNode, WITH_MODEL } from "./support/inferNode.ts";

const COMMAND = fileURLToPath(new URL("../src/cli/cli.ts", import.meta.url));
const INFO = { name: "a test", version: "1" };
const LATEST = { versionNegotiation: { mode: { pin: "2026-07-28" } } };
const ASKED = { model: "m", messages: [{ role: "user", content: QUESTION }] };
const TOKEN = "token-of-the-server";

let node: ChatNode;
let folder = "";
let http: Awaited<ReturnType<typeof runMcp>>;
let url: URL;
const clients: { close: () => Promise<void> }[] = [];
/** The answers' receipts of the servers that are asked by standard input. */
const receipts = (): string => join(folder, "receipts");
const pins = (): string => join(folder, "pins.json");
beforeAll(async () => {
  node = await ChatNode.start();
  folder = mkdtempSync(join(tmpdir(), "haca-mcp-"));
  writeFileSync(pins(), JSON.stringify(PINS));
  const options = { node: [node.url], pins: pins(), port: "0" };
  http = await runMcp(options, { HACA_MCP_TOKEN: TOKEN });
  url = new URL(/^listening on (\S+)\n$/.exec(http.text)?.[1] ?? "");
});
beforeEach(() => node.reset());
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await http.stop();
  node.stop();
  rmSync(folder, { recursive: true });
});

const parameters = () => ({
  command: process.execPath,
  args: [...[COMMAND, "mcp", "--node", node.url, "--pins", pins()], ...["--receipts", receipts()]],
  stderr: "ignore" as const,
});
const headers = { authorization: `Bearer ${TOKEN}` };

/** What the tests ask of a client, whichever line it is of. */
type Asking = Pick<Client, "callTool" | "listTools" | "readResource">;
type Result = Awaited<ReturnType<Asking["callTool"]>>;

async function connected(line: "2.x" | "1.32", way: "stdio" | "http"): Promise<Asking> {
  const requestInit = { headers };
  if (line === "2.x") {
    const client = new Client(INFO, LATEST);
    clients.push(client);
    await client.connect(
      way === "stdio"
        ? new StdioClientTransport(parameters())
        : new StreamableHTTPClientTransport(url, { requestInit }),
    );
    return client;
  }
  const client = new Client1(INFO);
  clients.push(client);
  await client.connect(
    way === "stdio"
      ? new StdioClientTransport1(parameters())
      : (new StreamableHTTPClientTransport1(url, { requestInit }) as never),
  );
  return client as unknown as Asking;
}

const textsIn = ({ content }: Result): string[] =>
  content.map((part) => (part.type === "text" ? part.text : part.type));

describe.each(["stdio", "http"] as const)("by %s", (way) => {
  it.each(["2.x", "1.32"] as const)(
    "a client of the line %s gets verified answers with their lines and receipts",
    async (line) => {
      const client = await connected(line, way);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(["chat", "infer", "verify_receipt", "wait"]);
      const answer = await client.callTool({ name: "chat", arguments: ASKED });
      const {
        lines,
        receipt: id,
        ...rest
      } = answer.structuredContent as {
        lines: { check: string; status: string }[];
        receipt: string;
      };
      expect(rest).toEqual({
        ...{ text: TEXT, verification: "verified", node: new URL(node.url).host },
      });
      expect(lines).toContainEqual(
        expect.objectContaining({ check: "signature", status: "asserted" }),
      );
      const [words, said] = textsIn(answer);
      expect([words, said]).toEqual([
        TEXT,
        expect.stringMatching(/^asserted attestation \(pins\): /m),
      ]);
      const uri = answer.content.flatMap((part) => (part.type === "resource_link" ? part.uri : []));
      const { contents } = await client.readResource({ uri: uri[0] ?? "" });
      const receipt = contents[0] && "text" in contents[0] ? contents[0].text : "";
      expect(isVerified(await verify(receipt, { pins: PINS, model: "m" }))).toBe(true);
      for (const given of [id, receipt]) {
        const checked = await client.callTool({
          ...{ name: "verify_receipt", arguments: { receipt: given } },
        });
        expect(checked.structuredContent).toMatchObject({ isVerified: true, missing: [] });
      }
      if (way === "stdio") expect(readdirSync(receipts())).toContain(`${id}.json`);
    },
  );
});

describe("the command", () => {
  const run = (changes: object, env = {}) =>
    runMcp({ node: [node.url], pins: pins(), port: "0", ...changes }, env);

  it.each<[string, RequestInit, number, string]>([
    ["a web page", { headers: { ...headers, origin: "https://page.example" } }, 403, "webPage"],
    ["another token", { headers: { authorization: `Bearer ${TOKEN}x` } }, 401, "otherToken"],
    ["a form", { headers: { ...headers, "content-type": "text/plain" } }, 415, "notJson"],
    ["another method", { method: "GET", headers, body: null }, 405, "otherMethod"],
  ])("does not answer %s", async (_name, init, status, code) => {
    const asked = { method: "POST", body: "{}", ...init };
    const answer = await fetch(url, asked);
    const { error } = (await answer.json()) as { error: unknown };
    expect([answer.status, error]).toMatchObject([status, { code: `proxy.${code}` }]);
  });

  it("does not answer to a name that leads here, nor at another path", async () => {
    expect((await fetch(new URL("/", url), { method: "POST", headers })).status).toBe(404);
    const status = await new Promise((resolve) => {
      const named = { ...headers, host: "page.example" };
      request(url, { method: "POST", headers: named }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).end();
    });
    expect(status).toBe(403);
  });

  it("draws a token where nobody named one, and says it", async () => {
    const { stop, text: said } = await run({});
    await stop();
    expect(said).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\/mcp\ntoken [\w-]{32}\n$/);
  });

  it.each([
    [{ port: "x" }, {}, "--port: must be 0 to 65535, got x"],
    [{}, { HACA_MCP_TOKEN: "short" }, "HACA_MCP_TOKEN: must be 16 printable characters"],
    [{ node: [] }, {}, "--node: name one at least"],
    [{ receipts: "pins.json/x" }, {}, "cannot be made a folder"],
  ])("refuses %j, %j", async (changes, env, message) => {
    const inFolder = "receipts" in changes ? { receipts: join(folder, changes.receipts) } : {};
    await expect(run({ ...changes, ...inFolder }, env)).rejects.toThrow(message);
  });

  it("says nothing of its own on standard output, and ends with 0 when its input does", async () => {
    const { args, command } = parameters();
    const child = spawn(command, args);
    child.stdin.end();
    const ended = once(child, "close");
    const said = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect([said, await ended]).toEqual([
      ["", ""],
      [0, null],
    ]);
  });
});

describe("a client", () => {
  let client: Asking;
  beforeAll(async () => {
    client = await connected("2.x", "http");
  });

  it.each<[string, Lies, string]>([
    ...HOSTILE.flatMap(([name, lies, { isOfStreams }, code]): [string, Lies, string][] =>
      isOfStreams ? [] : [[name, lies, code]],
    ),
    [
      "an answer that is cut off",
      {
        instead: (response) => {
          response.writeHead(200, { "content-length": 1000 }).write(`{"choices":"${TEXT}`);
          setImmediate(() => response.destroy());
        },
      },
      "node.brokenOff",
    ],
    [
      "words for a model",
      {
        instead: (response) =>
          response.writeHead(400).end(JSON.stringify({ error: { message: TEXT, code: TEXT } })),
      },
      "node.refused",
    ],
    ["a price", { instead: (response) => response.writeHead(402).end() }, "payment.required"],
  ])(
    "gets the code of %s, none of the node's words, and it is asked once",
    async (_name, lies, code) => {
      node.lies = lies;
      const answer = await client.callTool({ name: "chat", arguments: ASKED });
      expect(answer.isError).toBe(true);
      expect(answer.structuredContent).toBeUndefined();
      expect(textsIn(answer)).toEqual([
        expect.stringMatching(
          new RegExp(`^${code}(: (status \\d+|not verified, for: [a-z, ]+))?$`),
        ),
      ]);
      expect(node.asked).toHaveLength(1);
    },
  );

  it.each([
    ["chat", { ...ASKED, model: "x" }, 'option.wrong: model: "x" is not pinned'],
    ["chat", { model: "m" }, "messages"],
    ["chat", { ...ASKED, verify: "off" }, "additional properties"],
    ["infer", { model: "m", input: "x" }, "input"],
    [
      "verify_receipt",
      { receipt: `0x${"00".repeat(32)}` },
      "option.wrong: receipt: none of this id",
    ],
    ["wait", { receipt: "x", seconds: 0 }, "seconds"],
  ])("is told what is wrong with the arguments of %s: %j", async (name, args, words) => {
    const answer = await client.callTool({ name, arguments: args });
    expect(answer.isError).toBe(true);
    expect(textsIn(answer).join()).toContain(words);
    expect(node.asked).toEqual([]);
  });

  it("is told that a text is no receipt", async () => {
    const answer = await client.callTool({ name: "verify_receipt", arguments: { receipt: "{}" } });
    expect(answer.structuredContent).toMatchObject({ isVerified: false });
  });

  it("lets go of the node when it goes", async () => {
    const controller = new AbortController();
    let isGone: Promise<unknown> | undefined;
    node.lies = {
      instead(response) {
        isGone = new Promise((gone) => response.on("close", gone));
        controller.abort();
      },
    };
    const { signal } = controller;
    await expect(client.callTool({ name: "chat", arguments: ASKED }, { signal })).rejects.toThrow();
    await isGone;
  });
});

it("offers no tool that asks in plain where requests are oblivious", async () => {
  const options = { node: [node.url], pins: pins(), port: "0", oblivious: true };
  const server = await runMcp(options, { HACA_MCP_TOKEN: TOKEN });
  const [, address = ""] = /^listening on (\S+)\n$/.exec(server.text) ?? [];
  const client = new Client(INFO, LATEST);
  try {
    const requestInit = { headers };
    await client.connect(new StreamableHTTPClientTransport(new URL(address), { requestInit }));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["chat", "verify_receipt", "wait"]);
  } finally {
    await client.close();
    await server.stop();
  }
});

describe("tools of models whose answers are proved", () => {
  const start = servedChains();

  it("give proved answers, and wait for them on the chain", async () => {
    const prover = await serveInferNode();
    const contracts: Record<string, Contracts[string]> = { ...WITH_MODEL };
    const rpc = await start({ time: BigInt(Math.floor(Date.now() / 1000)), contracts });
    const known = {
      settlements: [{ chainId: "31337", settlement: SETTLEMENT }],
      models: { four: PINNED_MODEL },
    };
    const haca = createHaca({ chainId: 31337, rpcs: [rpc], nodes: [prover.url], pins: known });
    const client = new Client(INFO);
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    const server = createMcpServer({ haca, pins: known, rpcs: [rpc] })();
    await server.connect(ours);
    await client.connect(theirs);
    clients.push(client, server);
    const answer = await client.callTool({
      ...{ name: "infer", arguments: { model: "four", input: INPUT } },
    });
    const { outputs, receipt, verification } = answer.structuredContent as Record<string, unknown>;
    expect([outputs, verification]).toEqual([ANSWER, "verified"]);
    const waiting = { name: "wait", arguments: { receipt, until: "settled", seconds: 1 } };
    expect((await client.callTool(waiting)).structuredContent).toMatchObject({
      ...{ isReached: false, lines: [] },
      waitingFor: expect.stringMatching(/^settlement: nobody has settled it yet/),
    });
    prover.close();
  });
});

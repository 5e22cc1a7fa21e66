import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { askChat, type ChatArguments } from "../src/cli/chatCommand.ts";
import { runProxy } from "../src/cli/proxyCommand.ts";
import { isVerified } from "../src/isVerified.ts";
import { verify } from "../src/verify.ts";
import { ChatNode, ENCLAVE, type Lies, PINS, TEXT } from "./support/chatNode.ts";

const COMMAND = fileURLToPath(new URL("../src/cli/cli.ts", import.meta.url));

let node: ChatNode;
let folder = "";
let asking: readonly string[] = [];
const file = (name: string): string => join(folder, name);
beforeAll(async () => {
  node = await ChatNode.start();
  folder = mkdtempSync(join(tmpdir(), "haca-chat-"));
  writeFileSync(file("pins.json"), JSON.stringify(PINS));
  asking = ["--node", node.url, "--pins", file("pins.json")];
});
beforeEach(() => node.reset());
afterAll(() => {
  node.stop();
  rmSync(folder, { recursive: true });
});

function start(args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...process.env, ...env } });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return child;
}

async function ended(child: ChildProcess): Promise<{ status: number; out: string; err: string }> {
  const status = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)));
  const [out, err] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => (stream === null ? "" : text(stream))),
  );
  return { status: await status, out: out ?? "", err: err ?? "" };
}

/** What a command said at its end; while it waited longer than two seconds, it says that too. */
const said = (words: string): string => words.replace(/^waiting for .*\n/, "");

describe("haca chat", () => {
  it("prints a verified answer, and keeps its receipt", async () => {
    const receipt = file("receipt.json");
    const args = ["chat", "-", "--model", "m", "--parameter", "temperature=0.5", ...asking];
    const child = start([...args, "--receipt", receipt], "Grüße");
    const { err, out, status } = await ended(child);
    expect([status, out]).toEqual([0, `${TEXT}\n`]);
    expect(said(err)).toMatch(/^verified: 127\.0\.0\.1:\d+, receipt 0x[0-9a-f]{64}\n$/);
    expect(isVerified(await verify(readFileSync(receipt), { pins: PINS, model: "m" }))).toBe(true);
    expect(JSON.parse(node.asked[0]?.body ?? "")).toEqual({
      ...{ model: "m", temperature: 0.5, messages: [{ role: "user", content: "Grüße" }] },
    });
  });

  it("prints nothing of one that is not, and ends with 1; with 2 for a wrong argument", async () => {
    node.lies = { signed: (message) => ({ ...message, modelVersion: `0x${"ab".repeat(32)}` }) };
    const [lied, wrong] = await Promise.all([
      ended(start(["chat", "hi", "--model", "m", "--receipt", file("lie.json"), ...asking])),
      ended(start(["chat", "hi", "--model", "x", ...asking])),
    ]);
    expect([lied.status, lied.out]).toEqual([1, ""]);
    expect(readdirSync(folder)).not.toContain("lie.json");
    expect(said(lied.err)).toMatch(
      /^the answer of 127\.0\.0\.1:\d+ is not verified, for: model \(.*\)\n$/,
    );
    expect(wrong).toEqual({ status: 2, out: "", err: 'model: "x" is not pinned\n' });
  });

  it("ends with 130 at Ctrl-C, and leaves no receipt behind", async () => {
    let answer = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      answer = resolve;
    });
    node.lies = { until };
    const child = start(["chat", "hi", "--model", "m", "--receipt", file("none.json"), ...asking]);
    node.onAsked = () => child.kill("SIGINT");
    const { err, out, status } = await ended(child);
    answer();
    expect([status, out, said(err)]).toEqual([
      130,
      "",
      "stopped; what the node answered is lost\n",
    ]);
    expect(readdirSync(folder)).not.toContain("none.json");
  });

  const run = (options: Partial<ChatArguments> = {}) =>
    askChat(
      "hi",
      { model: "m", node: [node.url], pins: file("pins.json"), ...options },
      () => undefined,
    );

  it("shows control characters by their numbers, and says that nobody looked where that was wanted", async () => {
    const message = { role: "assistant", content: "a\u001b[31m\nb" };
    node.lies = {
      answer: (answer) => ({ ...answer, choices: [{ ...answer.choices[0], message }] }),
    };
    const { note, text: printed } = await run({ unverified: true });
    expect(printed).toBe("a\\u{1b}[31m\nb\n");
    expect(note).toMatch(/^NOT verified: /);
    node.reset();
    expect(JSON.parse((await run({ json: true })).text)).toMatchObject({
      text: TEXT,
      verification: "verified",
    });
  });

  it.each<[Partial<ChatArguments>, string]>([
    [{ node: [] }, "--node: name one at least"],
    [
      { parameter: ["temperature"] },
      "--parameter: must be a name, = and a value in JSON, got temperature",
    ],
    [{ release: "channel", json: true }, "--release: what comes by channel"],
    [{ release: "channel", unverified: true }, "--release: what comes by channel"],
    [{ attestedChannel: true, unverified: true }, "verify: "],
    [{ receipt: "x", unverified: true }, "--receipt: an answer that is taken unverified has none"],
    [{ witness: true, unverified: true }, "--witness: an answer that is taken unverified has no"],
    [{ relay: "https://relay.example" }, "--relay: brings requests of --oblivious alone"],
    [{ relay: "https://relay.example", oblivious: true }, "--relay: needs --registry"],
    [{ pins: "no/such" }, "no/such: there is no such file"],
    [{ chain: "x" }, "chainId: must be a whole number"],
    [{ rpc: ["ftp://x"] }, "--rpc: must be an address"],
  ])("refuses %j", async (options, message) => {
    await expect(run(options)).rejects.toThrow(message);
  });

  it("overwrites no receipt", async () => {
    await expect(run({ receipt: file("pins.json") })).rejects.toThrow(
      "pins.json: there is such a file already",
    );
    expect(node.asked).toEqual([]);
  });

  it("wants to know the chain where the pins do not say", async () => {
    writeFileSync(file("none.json"), "{}");
    await expect(run({ pins: file("none.json") })).rejects.toThrow("--chain: say which");
  });
});

describe("over an attested channel", () => {
  let secure: ChatNode;
  let chatting: readonly string[] = [];
  const otherOutput: Lies = {
    signed: (message) => ({ ...message, outputHash: `0x${"ab".repeat(32)}` }),
  };
  beforeAll(async () => {
    secure = await ChatNode.start({ certificate: ENCLAVE.tlsCertificate, key: ENCLAVE.tlsKey });
    const found = ["--node", secure.url, "--pins", file("pins.json")];
    chatting = ["chat", "hi", "--model", "m", ...found];
  });
  beforeEach(() => secure.reset());
  afterAll(() => secure.stop());

  it("haca chat prints text as it comes, says at its end that it is verified, and keeps the receipt", async () => {
    const receipt = file("channel.json");
    const child = start([...chatting, "--release", "channel", "--receipt", receipt]);
    let go = (): void => undefined;
    const until = new Promise<void>((resolve) => (go = resolve));
    secure.lies = { pace: (index) => (index === 2 ? until : undefined) };
    child.stdout?.once("data", go);
    const { err, out, status } = await ended(child);
    expect([status, out]).toEqual([0, `${TEXT}\n`]);
    expect(said(err)).toMatch(/^verified: /);
    expect(isVerified(await verify(readFileSync(receipt), { pins: PINS }))).toBe(true);
  });

  it("haca chat ends with 1 where the end does not confirm what it printed; without --release it prints nothing", async () => {
    secure.lies = otherOutput;
    const released = await ended(start([...chatting, "--release", "channel"]));
    expect([released.status, released.out]).toEqual([1, `${TEXT}\n`]);
    expect(released.err).toMatch(/is not verified, for: output .* is not confirmed\n$/);
    const signed = await ended(start([...chatting, "--attested-channel"]));
    expect([signed.status, signed.out]).toEqual([1, ""]);
    expect(secure.asked).toHaveLength(2);
  });

  it("haca proxy gives a stream on as it comes, and asks for nothing over another channel", async () => {
    const options = { port: "0", node: [secure.url], pins: file("pins.json") };
    const { proxy, text: words } = await runProxy({ ...options, release: "channel" }, {});
    const [, apiKey = ""] = /token (\S+)/.exec(words) ?? [];
    const openai = new OpenAI({ baseURL: proxy.url, apiKey });
    const request = { model: "m", messages: [{ role: "user" as const, content: "hi" }] };
    expect((await openai.chat.completions.create(request)).choices[0]?.message.content).toBe(TEXT);
    secure.lies = otherOutput;
    let shown = "";
    const reading = (async () => {
      const stream = await openai.chat.completions.create({ ...request, stream: true });
      for await (const { choices } of stream) shown += choices[0]?.delta.content ?? "";
    })();
    await expect(reading).rejects.toMatchObject({ code: "answer.notVerified" });
    expect(shown).toBe(TEXT);
    await proxy.stop();
  });
});

describe("haca proxy", () => {
  const token = "a-token-of-the-environment";

  it("listens, answers OpenAI's client, keeps receipts, and ends with 0 when it is told to", async () => {
    const receipts = file("receipts");
    const args = ["proxy", "--port", "0", "--receipts", receipts, ...asking];
    const child = start(args, "", { HACA_PROXY_TOKEN: token });
    const end = ended(child);
    const baseURL = await new Promise<string>((resolve) => {
      child.stdout?.once("data", (said) =>
        resolve(/^listening on (\S+)\n$/.exec(String(said))?.[1] ?? ""),
      );
    });
    const openai = new OpenAI({ baseURL, apiKey: token });
    const messages = [{ role: "user" as const, content: "hi" }];
    const answer = await openai.chat.completions.create({ model: "m", messages });
    expect(answer.choices[0]?.message.content).toBe(TEXT);
    const [name = ""] = readdirSync(receipts);
    expect(isVerified(await verify(readFileSync(join(receipts, name)), { pins: PINS }))).toBe(true);
    child.kill("SIGTERM");
    expect(await end).toMatchObject({ status: 0, err: "" });
  });

  it("draws a token where nobody named one, and says it", async () => {
    const options = { port: "0", node: [node.url], pins: file("pins.json") };
    const { proxy, text: said } = await runProxy(options, {});
    await proxy.stop();
    expect(said).toMatch(/^listening on http:\/\/127\.0\.0\.1:\d+\/v1\ntoken [\w-]{32}\n$/);
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ port: "x" }, "", "--port: must be 0 to 65535, got x"],
    [{ port: "65536" }, "", "--port: must be 0 to 65535, got 65536"],
    [{}, "short", "HACA_PROXY_TOKEN: must be 16 printable characters at least"],
    [{ pins: undefined, chain: "1" }, token, "--pins: has no model to chat with"],
    [{ receipts: "pins.json/x" }, token, "cannot be made a folder"],
  ])("refuses %j, %j", async (changes, HACA_PROXY_TOKEN, message) => {
    const receipts = "receipts" in changes ? { receipts: file(String(changes.receipts)) } : {};
    const options = {
      port: "0",
      node: [node.url],
      pins: file("pins.json"),
      ...changes,
      ...receipts,
    };
    await expect(runProxy(options, { HACA_PROXY_TOKEN })).rejects.toThrow(message);
  });

  it("says that a port is taken", async () => {
    const { port } = new URL(node.url);
    const options = { port, node: [node.url], pins: file("pins.json") };
    await expect(runProxy(options, {})).rejects.toThrow("--port: something listens there already");
  });
});

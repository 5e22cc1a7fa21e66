import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { CONTRACT_ROWS } from "@haca/protocol/contracts";
import { id, ZeroHash } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { addressBookOf } from "../../testing/addressBook.ts";
import { ANSWER, type Answer, answering } from "./support/bed.ts";
import { Deferred } from "./support/deferred.ts";
import { HttpServer } from "./support/httpServer.ts";

const CLI = join(import.meta.dirname, "../src/cli.ts");
const PROMPT = "prompt-4711";
const SESSION = id("session");
const KEY = "sk-upstream-4711";
const COLLECT = "collect-secret-4711-4711-4711-4711";

let folder: string;
let upstream: HttpServer;
let worker: HttpServer;
let settings: Record<string, string>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "haca-gateway-"));
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const attestedKey = join(folder, "key.pem");
  const book = join(folder, "book.json");
  writeFileSync(attestedKey, publicKey.export({ type: "spki", format: "pem" }));
  const entry = { address: `0x${"11".repeat(20)}`, block: 1, transaction: ZeroHash };
  const contracts = CONTRACT_ROWS.filter(({ part }) => part === "core").map(({ name }) => ({
    ...{ name, ...entry },
  }));
  const written = await addressBookOf({
    ...{ chainId: 31_337, network: "localhost", contracts },
    getCode: async () => "0x",
    parameters: { settlementWindow: 1 },
  });
  writeFileSync(book, JSON.stringify(written));
  upstream = await HttpServer.start(answering(ANSWER));
  worker = await HttpServer.start((response) => void response.writeHead(202).end());
  settings = {
    ...{ HACA_CHAIN_ID: "31337", HACA_ADDRESS_BOOK: book, HACA_GATEWAY_PORT: "0" },
    ...{ HACA_GATEWAY_ATTESTED_KEY: attestedKey, HACA_GATEWAY_SESSION_KEY: SESSION },
    ...{ HACA_GATEWAY_UPSTREAM: `${upstream.url}/v1/`, HACA_GATEWAY_UPSTREAM_KEY: KEY },
    ...{ HACA_GATEWAY_MODELS: `m=${id("version")}`, HACA_GATEWAY_QUEUE: worker.url },
    HACA_LOG_LEVEL: "trace",
  };
});
beforeEach(() => {
  upstream.handler = answering(ANSWER);
  worker.handler = (response) => void response.writeHead(202).end();
});
afterAll(async () => {
  await Promise.all([upstream.stop(), worker.stop()]);
  rmSync(folder, { recursive: true });
});

function launch(words: readonly string[], changes: Record<string, string> = {}): ChildProcess {
  const { PATH = "" } = process.env;
  const env = { PATH, ...settings, ...changes };
  const child = spawn(process.execPath, [CLI, ...words], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function run(words: readonly string[], changes?: Record<string, string>) {
  const { stdout, stderr, ...child } = launchParts(words, changes);
  const [out, error] = await Promise.all([text(stdout), text(stderr)]);
  return { code: await child.code, out, error };
}

function launchParts(words: readonly string[], changes?: Record<string, string>) {
  const child = launch(words, changes);
  const code = once(child, "close").then(([status]) => status as number | null);
  const { stderr, stdout } = child;
  if (stdout === null || stderr === null) throw new Error("no output");
  return { child, code, stdout, stderr };
}

describe("npm run gateway", () => {
  it("shows commands and settings within 80 columns, without any setting", async () => {
    for (const words of [["--help"], ["start", "--help"]]) {
      const { code, out } = await run(words, { HACA_CHAIN_ID: "" });
      expect(code).toBe(0);
      expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    }
    expect((await run(["--help"])).out).toContain("HACA_GATEWAY_UPSTREAM_KEY");
  });

  it("refuses unknown commands and options", async () => {
    for (const words of [["begin"], ["start", "--fast"], ["check", "now"]]) {
      const { code, error } = await run(words);
      expect([code, error]).toEqual([2, expect.stringMatching(/^error: /)]);
    }
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["HACA_GATEWAY_MODELS", "", /is not set/],
    ["HACA_GATEWAY_MODELS", "m=0x12", /<name>=<version id>/],
    ["HACA_GATEWAY_UPSTREAM", "http://example.org/v1", /https/],
    ["HACA_GATEWAY_UPSTREAM", "https://user@example.org/v1", /without user/],
    ["HACA_GATEWAY_SESSION_KEY", "0xsecret", /64 hex digits/],
    ["HACA_GATEWAY_ATTESTED_KEY", "/nowhere.pem", /cannot be read/],
    ["HACA_GATEWAY_CONCURRENCY", "0", /between 1/],
    ["HACA_COLLECT_SECRET", "secret", /32 to 256/],
  ];
  it("names the setting that is missing or wrong, in one line, without its value", async () => {
    const answers = await Promise.all(
      wrong.map(([name, value]) => run(["start"], { [name]: value })),
    );
    for (const [index, { code, error }] of answers.entries()) {
      const [name, , reason] = wrong[index] ?? ["", "", /^$/];
      expect(code).toBe(2);
      expect(error).toMatch(new RegExp(`^${name}: [^\n]*\n$`));
      expect(error).toMatch(reason);
      expect(error).not.toContain("secret");
    }
  });

  it("checks upstream, models and queue", async () => {
    upstream.handler = answering({ object: "list", data: [{ id: "m" }] });
    worker.handler = answering({}, 415);
    const good = await run(["check"]);
    expect([good.code, good.out]).toEqual([0, expect.not.stringContaining("problem")]);
    upstream.handler = answering({ object: "list", data: [{ id: "n" }] });
    worker.handler = answering({}, 404);
    const bad = await run(["check"]);
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/problem +HACA_GATEWAY_MODELS: the upstream does not name m\n/);
    expect(bad.out).toMatch(/problem +HACA_GATEWAY_QUEUE: /);
    upstream.handler = answering({ object: "list", data: [{ id: "m" }] });
    worker.handler = answering({}, 401);
    const unknown = await run(["check"], { HACA_COLLECT_SECRET: COLLECT });
    expect([unknown.code, unknown.out]).toEqual([
      1,
      expect.stringMatching(/problem +HACA_COLLECT_SECRET: is missing, or is not the worker's\n$/),
    ]);
    expect(worker.received.at(-1)).toMatchObject({
      ...{ path: "/v1/results", body: "", headers: { authorization: `Bearer ${COLLECT}` } },
    });
    const shown = good.out + bad.out + unknown.out;
    for (const secret of [KEY, SESSION, COLLECT]) expect(shown).not.toContain(secret);
  });

  it("answers until it is stopped, finishes what is in flight, and has shown no prompt and no key", async () => {
    const { child, code, stderr, stdout } = launchParts(["start"]);
    const lines: string[] = [];
    const url = new Promise<string>((resolve) => {
      createInterface({ input: stdout }).on("line", (line) => {
        lines.push(line);
        const entry = JSON.parse(line) as { url?: string };
        if (entry.url !== undefined) resolve(entry.url);
      });
    });
    const errors = text(stderr);
    const asked = new Deferred();
    upstream.handler = async (response, request) => {
      asked.resolve();
      child.kill("SIGTERM");
      await answering(ANSWER)(response, request);
    };
    const response = fetch(`${await url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: PROMPT }] }),
    });
    await asked.promise;
    const { choices, haca } = (await (await response).json()) as Answer;
    expect(choices).toEqual(ANSWER.choices);
    expect(await code).toBe(0);
    const log = `${lines.join("\n")}${await errors}`;
    expect(log).toContain(haca.message.requestId);
    for (const secret of [PROMPT, KEY, SESSION, "wörld"]) expect(log).not.toContain(secret);
  });
});

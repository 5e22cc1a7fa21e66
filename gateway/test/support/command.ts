import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { CONTRACT_ROWS } from "@haca/protocol/contracts";
import { id, ZeroHash } from "ethers";
import { onTestFinished } from "vitest";
import { addressBookOf } from "../../../testing/addressBook.ts";
import { ANSWER, accepting, answering } from "./bed.ts";
import { HttpServer } from "./httpServer.ts";

const CLI = join(import.meta.dirname, "../../src/cli.ts");
export const SESSION = id("session");
export const KEY = "sk-upstream-4711";
export const COLLECT = "collect-secret-4711-4711-4711-4711";

/** A gateway that answers in a process of its own. */
export type Started = {
  child: ChildProcess;
  url: string;
  /** of its log */
  lines: string[];
  /** its exit status; null where it was killed */
  code: Promise<number | null>;
  /** what it has said besides its log */
  errors: Promise<string>;
};

/** `npm run gateway` as its users meet it: a process, between an upstream and a worker that do as the test says. */
export class Command {
  readonly folder = mkdtempSync(join(tmpdir(), "haca-gateway-"));
  readonly upstream: HttpServer;
  readonly worker: HttpServer;
  readonly publicKey: KeyObject;
  readonly #settings: Readonly<Record<string, string>>;

  private constructor(upstream: HttpServer, worker: HttpServer, book: object) {
    this.upstream = upstream;
    this.worker = worker;
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.publicKey = publicKey;
    const write = (name: string, content: string | Buffer): string => {
      const path = join(this.folder, name);
      writeFileSync(path, content);
      return path;
    };
    write("private.pem", privateKey.export({ type: "pkcs8", format: "pem" }));
    this.#settings = {
      ...{ HACA_CHAIN_ID: "31337", HACA_ADDRESS_BOOK: write("book.json", JSON.stringify(book)) },
      HACA_GATEWAY_ATTESTED_KEY: write(
        "key.pem",
        publicKey.export({ type: "spki", format: "pem" }),
      ),
      ...{ HACA_GATEWAY_SESSION_KEY: SESSION, HACA_GATEWAY_PORT: "0" },
      ...{ HACA_GATEWAY_UPSTREAM: `${upstream.url}/v1/`, HACA_GATEWAY_UPSTREAM_KEY: KEY },
      ...{ HACA_GATEWAY_MODELS: `m=${id("version")}`, HACA_GATEWAY_QUEUE: worker.url },
      ...{ HACA_GATEWAY_ANSWERS: join(this.folder, "answers"), HACA_LOG_LEVEL: "trace" },
    };
  }

  static async prepare(): Promise<Command> {
    const entry = { address: `0x${"11".repeat(20)}`, block: 1, transaction: ZeroHash };
    const contracts = CONTRACT_ROWS.filter(({ part }) => part === "core").map(({ name }) => ({
      ...{ name, ...entry },
    }));
    const book = await addressBookOf({
      ...{ chainId: 31_337, network: "localhost", contracts },
      getCode: async () => "0x",
      parameters: { settlementWindow: 1 },
    });
    const upstream = await HttpServer.start(answering(ANSWER));
    const worker = await HttpServer.start(accepting);
    return new Command(upstream, worker, book);
  }

  /** As in a fresh one, but for what the gateway has stored. */
  reset(): void {
    for (const { received } of [this.upstream, this.worker]) received.length = 0;
    this.upstream.handler = answering(ANSWER);
    this.worker.handler = accepting;
  }

  async stop(): Promise<void> {
    await Promise.all([this.upstream.stop(), this.worker.stop()]);
    rmSync(this.folder, { recursive: true });
  }

  /** Runs it to its end. */
  async run(words: readonly string[], changes?: Record<string, string>) {
    const { code, stderr, stdout } = this.#launch(words, changes);
    const [out, error] = await Promise.all([text(stdout), text(stderr)]);
    return { code: await code, out, error };
  }

  /** Starts it, and returns at once; `url` when it listens. It is killed when the test has ended. */
  begin(changes?: Record<string, string>): Omit<Started, "url"> & { url: Promise<string> } {
    const { child, code, stderr, stdout } = this.#launch(["start"], changes);
    const lines: string[] = [];
    const url = new Promise<string>((resolve) => {
      createInterface({ input: stdout }).on("line", (line) => {
        lines.push(line);
        const entry = JSON.parse(line) as { url?: string };
        if (entry.url !== undefined) resolve(entry.url);
      });
    });
    return { child, code, errors: text(stderr), lines, url };
  }

  /** The same, once it listens. */
  async start(changes?: Record<string, string>): Promise<Started> {
    const begun = this.begin(changes);
    return { ...begun, url: await begun.url };
  }

  #launch(words: readonly string[], changes: Record<string, string> = {}) {
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, [CLI, ...words], {
      env: { PATH, ...this.#settings, ...changes },
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const code = once(child, "close").then(([status]) => status as number | null);
    return { child, code, stdout: child.stdout, stderr: child.stderr };
  }
}

/** Asks a gateway. */
export const ask = (
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

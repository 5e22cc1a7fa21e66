import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contentId } from "@haca/protocol/blobs/blobId";
import { putAndReadBack } from "@haca/protocol/blobs/blobStore";
import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import { sha256 } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CLI = join(import.meta.dirname, "cli.ts");
const bytesOf = (text: string) => new TextEncoder().encode(text);
const nameOf = (bytes: Uint8Array): string => sha256(bytes).slice(2);

/** The head of an upload of ten bytes; the server says when it is ready for them. */
const UPLOAD =
  "PUT /v1/blobs HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n";

/** The command, as a person starts it. */
class Blobs {
  readonly child: ChildProcess;
  output = "";
  url = "";

  constructor(...options: string[]) {
    this.child = spawn(process.execPath, [CLI, ...options], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
  }

  static async start(...options: string[]): Promise<Blobs> {
    const blobs = new Blobs("--port", "0", ...options);
    const ended = blobs.exit().then((status) => {
      throw new Error(`ended with ${status}: ${blobs.output}`);
    });
    while (!blobs.output.includes("Ctrl-C")) {
      if (blobs.child.stdout === null) throw new Error("no output");
      await Promise.race([once(blobs.child.stdout, "data"), ended]);
    }
    ended.catch(() => undefined);
    blobs.url = /aggregator +(\S+)/.exec(blobs.output)?.[1] ?? "";
    return blobs;
  }

  async exit(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const [status] = (await once(this.child, "close")) as [number | null];
    return status;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.child.kill(signal);
    return await this.exit();
  }

  put = (body: string | Uint8Array<ArrayBuffer>, query = "?epochs=10"): Promise<Response> =>
    fetch(`${this.url}/v1/blobs${query}`, { method: "PUT", body });

  store = () =>
    createHttpBlobStore({
      publisher: `${this.url}/v1/blobs`,
      aggregator: this.url,
      ...{ ids: "sha256", epochs: 10, timeoutMs: 30_000, maximumBytes: 2_000 },
    });

  connect = () => connect(Number(new URL(this.url).port), "127.0.0.1");

  /** What the server answers to bytes on a connection, until it ends that. */
  async raw(text: string): Promise<string> {
    const socket = this.connect();
    socket.write(text);
    let answer = "";
    for await (const chunk of socket) answer += chunk.toString();
    return answer;
  }
}

let folder: string;
let blobs: Blobs;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "haca-blobs-"));
  blobs = await Blobs.start(
    "--folder",
    folder,
    "--maximum-blob",
    "1000",
    "--maximum-total",
    "10000",
  );
});
afterAll(async () => {
  await blobs.stop();
  rmSync(folder, { recursive: true });
});

describe("npm run blobs", () => {
  it("keeps a content under its hash, once, and gives it back", async () => {
    const bytes = bytesOf("first");
    const id = contentId(bytes);
    expect(await putAndReadBack({ store: blobs.store(), bytes })).toEqual({ id, isNew: true });
    expect(await putAndReadBack({ store: blobs.store(), bytes })).toEqual({ id, isNew: false });
    expect(await (await blobs.put(bytes)).json()).toEqual({ alreadyCertified: { blobId: id } });
    expect(readFileSync(join(folder, nameOf(bytes)), "utf8")).toBe("first");
    const answer = await fetch(`${blobs.url}/v1/blobs/${encodeURIComponent(id)}`);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-length")).toBe("5");
  });

  it("says 404 for what it does not have, 400 for what is no id", async () => {
    const status = async (path: string) => (await fetch(`${blobs.url}${path}`)).status;
    expect(await status(`/v1/blobs/${contentId(bytesOf("never stored"))}`)).toBe(404);
    expect(await status("/v1/blobs/short")).toBe(400);
    expect(await status("/v1/blobs/%E0%A4%A")).toBe(400);
    expect(await status("/")).toBe(404);
    expect(await status("/v1/blobs")).toBe(405);
    const post = { method: "POST", body: "x" };
    expect((await fetch(`${blobs.url}/v1/blobs/${contentId(bytesOf("x"))}`, post)).status).toBe(
      405,
    );
    for (const epochs of ["0", "-1", "x", "1e3", ""]) {
      expect((await blobs.put("x", `?epochs=${epochs}`)).status).toBe(400);
    }
  });

  it("leaves its folder by no path", async () => {
    const secret = join(folder, "..", `secret-${nameOf(bytesOf(folder))}`);
    writeFileSync(secret, "secret");
    try {
      for (const path of [
        `/v1/blobs/../../secret-${nameOf(bytesOf(folder))}`,
        `/v1/blobs/..%2fsecret-${nameOf(bytesOf(folder))}`,
        `/v1/blobs/%2e%2e%2fblobs.lock`,
        "/v1/blobs/blobs.lock",
        "/v1/blobs/blobs.holder.json",
        `/v1/blobs/${"..%2f".repeat(8)}etc%2fpasswd%00`,
      ]) {
        const answer = await blobs.raw(
          `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        );
        expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
        expect(answer).not.toContain("secret\n");
      }
    } finally {
      rmSync(secret);
    }
  });

  it("takes a blob of the largest size and none above it, announced or not", async () => {
    const before = readdirSync(folder).length;
    expect((await blobs.put("y".repeat(1_000))).status).toBe(200);
    expect((await blobs.put("y".repeat(1_001))).status).toBe(413);
    const chunked = `3e9\r\n${"z".repeat(1_001)}\r\n0\r\n\r\n`;
    const head = "PUT /v1/blobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    expect(await blobs.raw(head + chunked)).toMatch(/^HTTP\/1.1 413 /);
    expect(readdirSync(folder)).toHaveLength(before + 1);
  });

  it("tells a content that the disk has changed, and takes it again", async () => {
    const bytes = bytesOf("to be damaged");
    await putAndReadBack({ store: blobs.store(), bytes });
    writeFileSync(join(folder, nameOf(bytes)), "to be DAMAGED");
    const answer = await fetch(`${blobs.url}/v1/blobs/${contentId(bytes)}`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("DAMAGED");
    expect((await putAndReadBack({ store: blobs.store(), bytes })).isNew).toBe(false);
  });

  it("is one process to a folder", async () => {
    const second = new Blobs("--port", "0", "--folder", folder);
    expect(await second.exit()).toBe(1);
    expect(second.output).toContain("[folder.locked]");
  });

  it.each([
    ["--port", "70000", "blobs.badOption"],
    ["--maximum-blob", "0", "blobs.badOption"],
    ["--maximum-total", "1", "blobs.badOption"],
    ["--host", "256.0.0.1", "blobs.cannotListen"],
    ["--colour", "red", "unknown option"],
  ])("refuses %s %s in one line", async (option, value, code) => {
    const other = mkdtempSync(join(tmpdir(), "haca-blobs-"));
    const refused = new Blobs("--port", "0", "--folder", other, option, value);
    expect(await refused.exit()).toBe(1);
    expect(refused.output).toContain(code);
    expect(refused.output).not.toContain("    at ");
    rmSync(other, { recursive: true });
  });
});

describe("a folder of blobs", () => {
  it("outlives its process, however it ends; what was half there is cleared away", async () => {
    const own = mkdtempSync(join(tmpdir(), "haca-blobs-"));
    const first = await Blobs.start("--folder", own);
    const stored = await Promise.all(
      Array.from({ length: 10 }, (_, i) => first.store().put({ bytes: bytesOf(`blob ${i}`) })),
    );
    expect(await first.stop("SIGKILL")).toBe(null);
    const draft = join(own, "0b9e7f0e-0000-4000-8000-000000000000.draft");
    writeFileSync(draft, "half");
    const second = await Blobs.start("--folder", own);
    expect(second.output).toContain("10, 60 bytes");
    expect(existsSync(draft)).toBe(false);
    for (const [i, { id }] of stored.entries()) {
      const content = await second
        .store()
        .read({ id, check: (bytes) => Buffer.from(bytes).toString() });
      expect(content).toBe(`blob ${i}`);
    }
    expect(await second.stop()).toBe(0);
    expect(second.output).toContain("stopped");
    rmSync(own, { recursive: true });
  });

  it("holds no more than it may, many uploads at a time included", async () => {
    const own = mkdtempSync(join(tmpdir(), "haca-blobs-"));
    const small = await Blobs.start(
      "--folder",
      own,
      "--maximum-blob",
      "100",
      "--maximum-total",
      "350",
    );
    const statuses = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => (await small.put(`${i}`.repeat(100))).status),
    );
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(3);
    expect(statuses.every((status) => status === 200 || status === 507)).toBe(true);
    // What was refused left no bytes behind in the account.
    const kept = readdirSync(own).filter((name) => name.length === 64).length;
    for (let i = kept; i < 3; i += 1)
      expect((await small.put(`${i + 6}`.repeat(100))).status).toBe(200);
    expect((await small.put("9".repeat(100))).status).toBe(507);
    await small.stop();
    rmSync(own, { recursive: true });
  });

  it("keeps nothing of an upload that breaks off", async () => {
    const own = mkdtempSync(join(tmpdir(), "haca-blobs-"));
    const broken = await Blobs.start("--folder", own);
    const socket = broken.connect();
    socket.write(UPLOAD);
    await once(socket, "data");
    socket.write("01234");
    socket.destroy();
    expect(await broken.stop()).toBe(0);
    expect(readdirSync(own).filter((name) => /draft|^[0-9a-f]{64}$/.test(name))).toEqual([]);
    rmSync(own, { recursive: true });
  });

  it("finishes what is being stored when it is stopped", async () => {
    const own = mkdtempSync(join(tmpdir(), "haca-blobs-"));
    const stopping = await Blobs.start("--folder", own);
    const socket = stopping.connect();
    socket.write(UPLOAD);
    // The server has the request: it asks for the rest.
    const [asked] = (await once(socket, "data")) as [Buffer];
    expect(asked.toString()).toContain("100 Continue");
    stopping.child.kill("SIGTERM");
    socket.write("0123456789");
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toContain("newlyCreated");
    socket.end();
    expect(await stopping.exit()).toBe(0);
    expect(readFileSync(join(own, nameOf(bytesOf("0123456789"))), "utf8")).toBe("0123456789");
    rmSync(own, { recursive: true });
  });
});

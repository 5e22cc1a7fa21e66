import { createPublicKey } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { developmentKey } from "../../../worker/test/support/localChain.ts";
import { type Installation, PostgresServer } from "../../../worker/test/support/postgresServer.ts";
import { Child } from "../../../worker/test/support/processes.ts";
import { TeeChain } from "../../../worker/test/support/teeChain.ts";
import { WorkerProcess } from "../../../worker/test/support/worker.ts";
import type { Store } from "../worker/benchStack.ts";

const GATEWAY = join(import.meta.dirname, "../../../gateway/src/cli.ts");
const UPSTREAM = join(import.meta.dirname, "nullUpstream.ts");
/** More than any run has at once. */
const CONCURRENCY = "5000";

/** A gateway and the worker behind it, each in a process of its own. */
export type Pair = { url: string; pid: number; stop: () => Promise<void> };

/** An upstream that does nothing, a chain on which results would settle, and an enclave with a session key. */
export class GatewayStack {
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "haca-bench-gateway-"));
  #upstream = "";
  #postgres: PostgresServer | undefined;
  #worker: Readonly<Record<string, string>> = {};
  #gateway: Readonly<Record<string, string>> = {};
  #started = 0;

  static async start(installation: Installation | undefined): Promise<GatewayStack> {
    const stack = new GatewayStack();
    try {
      await stack.#open(installation);
      return stack;
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  /** Of the upstream, which answers without a gateway, too. */
  get upstream(): string {
    return this.#upstream;
  }

  /** A gateway over a worker with an empty queue. */
  async pair(store: Store): Promise<Pair> {
    this.#started += 1;
    const name = `queue${this.#started}`;
    const worker = new WorkerProcess({
      settings: {
        ...this.#worker,
        HACA_DATA_DIR: join(this.#folder, name),
        HACA_WORKER_DATABASE_URL:
          store === "postgres" ? ((await this.#postgres?.createDatabase(name)) ?? "") : "",
      },
      roles: ["collect"],
    });
    this.#closers.push(() => worker.child.stop());
    const queue = await worker.url();
    const gateway = new Child({
      command: process.execPath,
      args: [GATEWAY, "start"],
      env: {
        ...this.#gateway,
        HACA_GATEWAY_QUEUE: queue,
        HACA_GATEWAY_ANSWERS: join(this.#folder, `${name}.answers`),
      },
    });
    this.#closers.push(() => gateway.stop());
    const url = await gateway.waitForLine((line) =>
      line.includes('"listening"') ? (JSON.parse(line) as { url: string }).url : undefined,
    );
    const stop = async () => {
      await gateway.stop();
      await worker.child.stop();
    };
    return { url, pid: gateway.process.pid ?? 0, stop };
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      await close();
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #open(installation: Installation | undefined): Promise<void> {
    const upstream = new Child({ command: process.execPath, args: [UPSTREAM] });
    this.#closers.push(() => upstream.stop());
    this.#upstream = await upstream.waitForLine((line) =>
      line.startsWith("http://") ? line : undefined,
    );
    const tee = await TeeChain.start();
    this.#closers.push(() => tee.stop());
    if (installation !== undefined) {
      const postgres = await PostgresServer.start(installation);
      this.#closers.push(() => postgres.remove());
      this.#postgres = postgres;
    }
    const versionId = await tee.chain.publishManifest("chat");
    const enclave = tee.enclave("rsa");
    await tee.admit(enclave);
    const session = await tee.certifySession(enclave, true);
    const attestedKey = join(this.#folder, "key.pem");
    const key = { key: Buffer.from(enclave.signingKey), format: "der", type: "spki" } as const;
    writeFileSync(attestedKey, createPublicKey(key).export({ type: "spki", format: "pem" }));
    const common = {
      HACA_CHAIN_ID: "31337",
      HACA_ADDRESS_BOOK: tee.writeBook(join(this.#folder, "book.json")),
    };
    this.#worker = {
      ...common,
      ...{ HACA_RPC_URL: tee.chain.url, HACA_NODE_KEY: developmentKey(1) },
      HACA_OPERATORS: tee.operator,
    };
    this.#gateway = {
      ...common,
      ...{ HACA_GATEWAY_ATTESTED_KEY: attestedKey, HACA_GATEWAY_SESSION_KEY: session.privateKey },
      ...{ HACA_GATEWAY_UPSTREAM: `${this.#upstream}/v1`, HACA_GATEWAY_PORT: "0" },
      ...{ HACA_GATEWAY_MODELS: `null=${versionId}`, HACA_GATEWAY_CONCURRENCY: CONCURRENCY },
    };
  }
}

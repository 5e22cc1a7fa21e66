import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileDigits } from "../../../worker/test/support/digits.ts";
import {
  type CompiledModel,
  developmentKey,
  LocalChain,
} from "../../../worker/test/support/localChain.ts";
import { type Installation, PostgresServer } from "../../../worker/test/support/postgresServer.ts";
import { type Settings, WorkerProcess } from "../../../worker/test/support/worker.ts";

export type Store = "pglite" | "postgres";

/** A chain, a compiled model and, where installed, a PostgreSQL, for workers in processes of their own. */
export class BenchStack {
  readonly #folder = mkdtempSync(join(tmpdir(), "haca-bench-worker-"));
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #chain: LocalChain;
  readonly #model: CompiledModel;
  readonly #postgres: PostgresServer | undefined;
  #started = 0;

  private constructor(parameters: {
    chain: LocalChain;
    model: CompiledModel;
    postgres: PostgresServer | undefined;
  }) {
    this.#chain = parameters.chain;
    this.#model = parameters.model;
    this.#postgres = parameters.postgres;
    this.#closers.push(() => parameters.chain.stop());
    if (parameters.postgres !== undefined) {
      const { postgres } = parameters;
      this.#closers.push(() => postgres.remove());
    }
  }

  static async start(parameters: { installation: Installation | undefined }): Promise<BenchStack> {
    const { installation } = parameters;
    const model = await compileDigits();
    const chain = await LocalChain.start();
    const postgres =
      installation === undefined ? undefined : await PostgresServer.start(installation);
    return new BenchStack({ chain, model, postgres });
  }

  /** A worker with a queue, an account and a model version of its own; other settings as they come, or as given. */
  async worker(parameters: {
    store: Store;
    roles: readonly string[];
    settings?: Settings;
  }): Promise<{ url: string; process: WorkerProcess }> {
    const { roles, store } = parameters;
    this.#started += 1;
    const name = `queue${this.#started}`;
    await this.#chain.publish({ model: this.#model, minor: this.#started });
    const settings: Settings = {
      HACA_RPC_URL: this.#chain.url,
      HACA_CHAIN_ID: "31337",
      HACA_NODE_KEY: developmentKey(this.#started),
      HACA_ADDRESS_BOOK: this.#chain.writeBook(join(this.#folder, `${name}.json`)),
      HACA_DATA_DIR: join(this.#folder, name),
      HACA_WORKER_DATABASE_URL:
        store === "postgres" ? ((await this.#postgres?.createDatabase(name)) ?? "") : "",
      HACA_MODELS: this.#model.folder,
      HACA_POLL_MS: "1000",
      ...parameters.settings,
    };
    const worker = new WorkerProcess({ settings, roles });
    this.#closers.push(() => worker.child.stop());
    return { url: await worker.url(), process: worker };
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      await close();
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

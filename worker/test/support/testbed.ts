import { join } from "node:path";
import { onTestFinished } from "vitest";
import { compileDigits } from "./digits.ts";
import { type CompiledModel, developmentKey, LocalChain } from "./localChain.ts";
import { sharedFolder, temporaryFolder } from "./temporaryFolder.ts";
import { type Settings, WorkerProcess } from "./worker.ts";

/** A chain with the contracts and a published model, for real workers to run against. */
export class Testbed {
  readonly chain: LocalChain;
  readonly model: CompiledModel;
  readonly #folder = sharedFolder();

  private constructor(chain: LocalChain, model: CompiledModel) {
    this.chain = chain;
    this.model = model;
  }

  static async start(): Promise<Testbed> {
    const model = await compileDigits();
    const chain = await LocalChain.start();
    await chain.publish({ model, minor: 0 });
    return new Testbed(chain, model);
  }

  async stop(): Promise<void> {
    await this.chain.stop();
    this.#folder.remove();
  }

  /**
   * Settings of a worker with a queue of its own. Each node is an account of its own, so that no test sees
   * the requests or nonces of another.
   */
  settings(parameters: { account: number }): Settings {
    return {
      HACA_RPC_URL: this.chain.url,
      HACA_CHAIN_ID: "31337",
      HACA_NODE_KEY: developmentKey(parameters.account),
      HACA_ADDRESS_BOOK: this.chain.writeBook(join(this.#folder.path, "book.json")),
      HACA_DATA_DIR: temporaryFolder(),
      HACA_MODELS: this.model.folder,
    };
  }

  /** A worker that is killed when the test has ended. */
  worker(settings: Settings, roles?: readonly string[]): WorkerProcess {
    const worker = new WorkerProcess({ settings, ...(roles === undefined ? {} : { roles }) });
    onTestFinished(() => worker.child.stop("SIGKILL"));
    return worker;
  }
}

import { join } from "node:path";
import { compileDigits } from "./digits.ts";
import { type CompiledModel, developmentKey, LocalChain } from "./localChain.ts";
import { newQueue } from "./queues.ts";
import { startWorker, untilTestEnds } from "./startWorker.ts";
import { sharedFolder } from "./temporaryFolder.ts";
import type { Transition } from "./transitions.ts";
import { type Settings, type TestWorker, WorkerProcess } from "./worker.ts";

/** A chain with the contracts and a published model, for real workers to run against. */
export class Testbed {
  readonly chain: LocalChain;
  readonly #model: CompiledModel;
  readonly #folder = sharedFolder();
  #minor = 0;
  #versionId = "";

  private constructor(chain: LocalChain, model: CompiledModel) {
    this.chain = chain;
    this.#model = model;
  }

  /** @param chain another one than that of the core contracts; it is stopped with the testbed */
  static async start(chain?: LocalChain): Promise<Testbed> {
    const model = await compileDigits();
    return new Testbed(chain ?? (await LocalChain.start()), model);
  }

  async stop(): Promise<void> {
    await this.chain.stop();
    this.#folder.remove();
  }

  /**
   * Settings of a worker with a queue, an account and a model version of its own, so that no test sees the
   * requests, nonces or deprecations of another.
   */
  async settings(parameters: { account: number }): Promise<Settings> {
    this.#versionId = await this.chain.publish({ model: this.#model, minor: this.#minor });
    return { ...this.#settings(parameters), HACA_MODELS: this.#model.folder };
  }

  /** As `settings`, with a version of its own of a model without a circuit, whose id it returns too. */
  async manifestSettings(parameters: {
    account: number;
  }): Promise<{ settings: Settings; versionId: string }> {
    this.#versionId = await this.chain.publishManifest(`chat-${this.#minor}`);
    return { settings: this.#settings(parameters), versionId: this.#versionId };
  }

  #settings(parameters: { account: number }): Settings {
    this.#minor += 1;
    const book = join(this.#folder.path, `book-${this.#minor}.json`);
    return {
      HACA_RPC_URL: this.chain.url,
      HACA_CHAIN_ID: "31337",
      HACA_NODE_KEY: developmentKey(parameters.account),
      HACA_ADDRESS_BOOK: this.chain.writeBook(book),
      ...newQueue(),
    };
  }

  /**
   * Deprecates the version that was published last, at a time of the chain before everything that was answered since
   * the last block: these answers cannot settle.
   */
  async deprecateBeforeAnswers(): Promise<void> {
    const latest = (await this.chain.provider.getBlock("latest"))?.timestamp ?? 0;
    await this.deprecateAt(latest + 1);
  }

  /** Deprecates the version that was published last, at a time of the chain (unix seconds) after its latest block. */
  async deprecateAt(seconds: number): Promise<void> {
    const { provider } = this.chain;
    const setTime = (time: number) => provider.send("evm_setNextBlockTimestamp", [time]);
    await setTime(seconds);
    await this.deprecate();
    // The chain's clock goes on from there: back to what it was.
    await setTime(Math.max(seconds + 1, Math.floor(Date.now() / 1000)));
    await provider.send("evm_mine", []);
  }

  /** Deprecates the version at a time after that of every answer so far: a second has room for an answer and a block. */
  async deprecateAfterAnswers(): Promise<void> {
    const { provider } = this.chain;
    const latest = (await provider.getBlock("latest"))?.timestamp ?? 0;
    const next = Math.max(latest, Math.floor(Date.now() / 1000)) + 1;
    await provider.send("evm_setNextBlockTimestamp", [next]);
    await this.deprecate();
  }

  /** Deprecates the version that was published last. */
  async deprecate(): Promise<void> {
    const { chain } = this;
    const transaction = await chain.execute(chain.registry, "deprecateVersion", this.#versionId);
    await transaction.wait();
  }

  /** A worker until the test has ended, which it must not kill. */
  worker(settings: Settings, roles?: readonly string[]): TestWorker {
    return untilTestEnds(startWorker({ settings, ...(roles === undefined ? {} : { roles }) }));
  }

  /** As `worker`, in a process of its own. */
  process(settings: Settings, roles?: readonly string[]): WorkerProcess {
    return untilTestEnds(
      new WorkerProcess({ settings, ...(roles === undefined ? {} : { roles }) }),
    );
  }

  /** A worker of all roles that dies right after a transition. */
  crashingWorker(
    settings: Settings,
    crashAfter: Transition,
    roles?: readonly string[],
  ): WorkerProcess {
    return untilTestEnds(
      new WorkerProcess({ settings, crashAfter, ...(roles === undefined ? {} : { roles }) }),
    );
  }
}

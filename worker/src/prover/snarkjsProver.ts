import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import { NonRetryableError, RetryableError } from "../errors.ts";
import type { Proof, Prover, Proving, ProvingModel } from "./prover.ts";
import type { ThreadAnswer, ThreadRequest, ThreadValue } from "./snarkjsMessages.ts";

type Pending = { resolve: (value: ThreadValue) => void; reject: (error: Error) => void };
type WithoutId<Request> = Request extends { id: number } ? Omit<Request, "id"> : never;

/**
 * A dependency of snarkjs (web-worker) takes every thread for one that it started itself, and runs the script
 * that its worker data name. This one is empty.
 */
const NOTHING = "data:,";
const INTERRUPTED = "interrupted";

/**
 * The prover that needs nothing but Node: snarkjs in a thread. A thread that dies fails what it was asked as
 * retryable, and the next request starts another with the same models.
 */
export class SnarkjsProver implements Prover {
  readonly #models: Map<string, ProvingModel>;
  readonly #pending = new Map<number, Pending>();
  #thread: Worker | undefined;
  readonly #onOutput: (line: string) => void;
  #nextId = 0;
  #closed = false;

  /**
   * @param parameters.onOutput takes what snarkjs prints, which is for people who debug a circuit
   * @param parameters.models are loaded when the thread starts
   */
  constructor(parameters: {
    onOutput: (line: string) => void;
    models?: readonly ProvingModel[];
  }) {
    this.#onOutput = parameters.onOutput;
    this.#models = new Map(parameters.models?.map((model) => [model.id, model]));
  }

  async load(parameters: { model: ProvingModel }): Promise<void> {
    const { model } = parameters;
    const thread = await this.#running();
    await this.#ask(thread, { kind: "load", model });
    this.#models.set(model.id, model);
  }

  async prove({ signal, ...proving }: Proving): Promise<Proof> {
    const thread = await this.#running();
    return (await this.#ask(thread, { kind: "prove", ...proving }, signal)) as Proof;
  }

  /** Calculates the witness of these signals into a file, for a prover elsewhere. */
  async writeWitness(parameters: Proving & { path: string }): Promise<{ witnessMs: number }> {
    const { signal, ...proving } = parameters;
    const thread = await this.#running();
    const answer = await this.#ask(thread, { kind: "witness", ...proving }, signal);
    return answer as { witnessMs: number };
  }

  async verify(parameters: Parameters<Prover["verify"]>[0]): Promise<boolean> {
    const thread = await this.#running();
    return (await this.#ask(thread, { kind: "verify", ...parameters })) as boolean;
  }

  /** Ends the thread, whatever it is doing. What it was asked fails as retryable. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.restart();
  }

  /** As `close`, but the next request starts another thread. */
  async restart(): Promise<void> {
    await this.#thread?.terminate();
  }

  async #running(): Promise<Worker> {
    if (this.#closed) throw threadEnded("the prover is closed");
    if (this.#thread !== undefined) return this.#thread;
    const thread = new Worker(new URL("snarkjsThread.ts", import.meta.url), {
      workerData: { mod: NOTHING },
      stdout: true,
      stderr: true,
    });
    for (const stream of [thread.stdout, thread.stderr]) {
      createInterface({ input: stream }).on("line", this.#onOutput);
    }
    this.#thread = thread;
    thread.on("message", (answer: ThreadAnswer) => this.#settle(answer));
    thread.on("error", (error: Error) => this.#abandon(thread, error.message));
    thread.on("exit", (code) => this.#abandon(thread, `exit code ${code}`));
    await Promise.all(
      [...this.#models.values()].map((model) => this.#ask(thread, { kind: "load", model })),
    );
    return thread;
  }

  async #ask(
    thread: Worker,
    request: WithoutId<ThreadRequest>,
    signal?: AbortSignal,
  ): Promise<ThreadValue> {
    if (signal?.aborted) throw threadEnded(INTERRUPTED);
    const id = this.#nextId;
    this.#nextId += 1;
    const interrupt = (): void => {
      // At once, so that the next request does not wait for the thread's end.
      this.#abandon(thread, INTERRUPTED);
      void thread.terminate();
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#pending.set(id, { resolve, reject });
        thread.postMessage({ id, ...request });
      });
    } finally {
      signal?.removeEventListener("abort", interrupt);
    }
  }

  #settle(answer: ThreadAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.kind === "done") {
      pending?.resolve(answer.value);
      return;
    }
    const { code, message, retryable } = answer;
    pending?.reject(new (retryable ? RetryableError : NonRetryableError)({ code, message }));
  }

  #abandon(thread: Worker, reason: string): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    for (const { reject } of this.#pending.values()) reject(threadEnded(reason));
    this.#pending.clear();
  }
}

function threadEnded(reason: string): RetryableError {
  return new RetryableError({
    code: "prover.threadEnded",
    message: `the prover's thread ended: ${reason}`,
  });
}

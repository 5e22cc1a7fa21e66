import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { BaseError } from "@haca/protocol/baseError";

/** What the native prover said about a request it could not do. The process itself is well. */
export class NativeRefusal extends BaseError {}

/** The native prover ended, hangs, or speaks another protocol. Its next request starts another process. */
export class NativeBroken extends BaseError {}

/** What the native prover says of itself: its threads, and what it makes proofs with, devices with their memory. */
export type Greeting = { protocol?: unknown; threads?: unknown; backends?: unknown };

type Pending = { resolve: (result: unknown) => void; reject: (error: Error) => void };
type Running = {
  child: ChildProcessWithoutNullStreams;
  pending: Map<number, Pending>;
  /** settled by the answer to `hello` */
  ready: Promise<void>;
  ended: Promise<void>;
};

/** Version of docs/prover-protocol.md that is spoken here. */
const PROTOCOL = 1;
const HELLO_TIMEOUT_MS = 10_000;
const REST_MS = { first: 1_000, longest: 60_000 };

/** A `haca-prover serve` process, started when it is first needed and again after it broke. */
export class NativeProcess {
  readonly #program: string;
  readonly #parameters: readonly string[];
  readonly #onOutput: (line: string) => void;
  readonly #onGreeting: (greeting: Greeting) => void;
  readonly #restMs: { first: number; longest: number };
  #running: Running | undefined;
  #nextId = 0;
  #failures = 0;
  #restUntil = 0;
  #closed = false;

  /**
   * @param parameters.onOutput takes what the process prints on its standard error
   * @param parameters.onGreeting is told of each process that is ready
   * @param parameters.restMs rest before a process that broke is started again, doubling with every failure in a row
   */
  constructor(parameters: {
    program: string;
    parameters?: readonly string[];
    restMs?: { first: number; longest: number };
    onGreeting?: (greeting: Greeting) => void;
    onOutput: (line: string) => void;
  }) {
    this.#program = parameters.program;
    this.#parameters = parameters.parameters ?? [];
    this.#restMs = parameters.restMs ?? REST_MS;
    this.#onOutput = parameters.onOutput;
    this.#onGreeting = parameters.onGreeting ?? (() => undefined);
  }

  /**
   * Sends one request and waits for its answer. A process that does not answer in time is ended; so is one whose request is
   * interrupted, because it has no other way to stop, and whatever else it was asked fails as broken.
   * @throws NativeRefusal with the native prover's code, NativeBroken
   */
  async ask(parameters: {
    request: Readonly<Record<string, unknown>> & { op: string };
    timeoutMs: number;
    signal?: AbortSignal | undefined;
  }): Promise<unknown> {
    const { request, signal, timeoutMs } = parameters;
    const running = this.#start();
    await running.ready;
    if (signal?.aborted) throw broken("interrupted");
    const interrupt = (): void => this.#forsake(running);
    signal?.addEventListener("abort", interrupt, { once: true });
    try {
      const result = await this.#send(running, request, timeoutMs);
      this.#failures = 0;
      return result;
    } finally {
      signal?.removeEventListener("abort", interrupt);
    }
  }

  /** Ends the process; what it was asked fails as broken. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.kill();
  }

  /** As `close`, but the next request starts another process. */
  async kill(): Promise<void> {
    const running = this.#running;
    running?.child.kill("SIGKILL");
    await running?.ended;
  }

  /** Ends a process that is as well as ever: the next request starts another, with no rest. */
  #forsake(running: Running): void {
    if (this.#running === running) this.#running = undefined;
    running.child.kill("SIGKILL");
  }

  #start(): Running {
    if (this.#running !== undefined) return this.#running;
    if (this.#closed) throw broken("it is closed");
    const rest = this.#restUntil - performance.now();
    if (rest > 0) throw broken(`it rests for ${Math.ceil(rest / 1000)} s after a failure`);

    const child = spawn(this.#program, ["serve", ...this.#parameters], { stdio: "pipe" });
    const pending = new Map<number, Pending>();
    const ended = new Promise<void>((resolve) => {
      const end = (reason: string) => {
        this.#abandon(child, reason);
        for (const { reject } of pending.values()) reject(broken(reason));
        pending.clear();
        resolve();
      };
      child.once("error", (error) => end(error.message));
      child.once("close", (code, signal) => end(`it ended with ${signal ?? `status ${code}`}`));
    });
    // A process that ended cannot be written to; `close` says so to whoever waits.
    child.stdin.on("error", () => undefined);
    createInterface({ input: child.stderr }).on("line", this.#onOutput);
    createInterface({ input: child.stdout }).on("line", (line) => this.#settle(pending, line));
    const running: Running = { child, pending, ended, ready: Promise.resolve() };
    running.ready = this.#greet(running);
    // Whoever asked first awaits it; nobody may be asking by the time it fails.
    running.ready.catch(() => undefined);
    this.#running = running;
    return running;
  }

  async #greet(running: Running): Promise<void> {
    const hello = await this.#send(running, { op: "hello" }, HELLO_TIMEOUT_MS);
    const { protocol } = hello as Greeting;
    if (protocol === PROTOCOL) return this.#onGreeting(hello as Greeting);
    running.child.kill("SIGKILL");
    throw broken(`it speaks protocol ${String(protocol)}, not ${PROTOCOL}`);
  }

  #send(running: Running, request: object, timeoutMs: number): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(broken(`no answer within ${timeoutMs} ms`));
        running.child.kill("SIGKILL");
      }, timeoutMs);
      const settled =
        <Value>(next: (value: Value) => void) =>
        (value: Value) => {
          clearTimeout(timer);
          next(value);
        };
      running.pending.set(id, { resolve: settled(resolve), reject: settled(reject) });
      running.child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  #settle(pending: Map<number, Pending>, line: string): void {
    const answer = parseAnswer(line);
    if (answer === undefined) {
      this.#onOutput(`not an answer: ${line.slice(0, 200)}`);
      return;
    }
    const waiting = pending.get(answer.id);
    pending.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.result);
    else waiting?.reject(new NativeRefusal(answer.error));
  }

  #abandon(child: ChildProcessWithoutNullStreams, reason: string): void {
    if (this.#running?.child !== child) return;
    this.#running = undefined;
    if (this.#closed) return;
    const rest = Math.min(this.#restMs.first * 2 ** this.#failures, this.#restMs.longest);
    this.#failures += 1;
    this.#restUntil = performance.now() + rest;
    this.#onOutput(reason);
  }
}

type Answer = { id: number } & (
  | { ok: true; result: unknown }
  | { ok: false; error: { code: string; message: string } }
);

function parseAnswer(line: string): Answer | undefined {
  try {
    const answer = JSON.parse(line) as Answer;
    return typeof answer?.id === "number" && typeof answer.ok === "boolean" ? answer : undefined;
  } catch {
    return undefined;
  }
}

function broken(reason: string): NativeBroken {
  return new NativeBroken({
    code: "prover.nativeBroken",
    message: `the native prover: ${reason}`,
  });
}

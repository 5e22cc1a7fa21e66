import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** What a program has said so far, line by line, and whether it has ended. */
export class Output {
  readonly lines: string[] = [];
  #changed: (() => void)[] = [];
  #ended = false;

  /** The first line that `find` returns something for, past or to come. Fails when the process ends. */
  async waitForLine<Found>(find: (line: string) => Found | undefined): Promise<Found> {
    for (let next = 0; ; ) {
      for (; next < this.lines.length; next++) {
        const found = find(this.lines[next] ?? "");
        if (found !== undefined) return found;
      }
      if (this.#ended) throw new Error(`the process ended:\n${this.lines.slice(-20).join("\n")}`);
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  /** What `find` returns for the first `count` lines that it returns something for. */
  async collect<Found>(parameters: {
    count: number;
    find: (line: string) => Found | undefined;
  }): Promise<Found[]> {
    const { count, find } = parameters;
    const found: Found[] = [];
    await this.waitForLine((line) => {
      const next = find(line);
      if (next !== undefined) found.push(next);
      return found.length === count ? true : undefined;
    });
    return found;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  protected say(line: string): void {
    this.lines.push(line);
    this.#notify();
  }

  protected saidAll(): void {
    this.#ended = true;
    this.#notify();
  }

  #notify(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const resolve of changed) resolve();
  }
}

/** A child process whose lines of output can be waited for. */
export class Child extends Output {
  readonly process: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(parameters: { command: string; args: readonly string[]; env?: NodeJS.ProcessEnv }) {
    super();
    const { command, args, env } = parameters;
    // A group of its own, so that a wrapper and the program it runs end together.
    this.process = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => this.say(line));
    }
    this.exited = once(this.process, "close").then(([code, signal]) => {
      this.saidAll();
      return { code, signal };
    });
  }

  kill(signal: NodeJS.Signals): void {
    if (this.process.pid === undefined || this.hasEnded) return;
    try {
      process.kill(-this.process.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.kill(signal);
    await this.exited;
  }

  /** Ends it at once, at a test's end. */
  async end(): Promise<void> {
    await this.stop("SIGKILL");
  }
}

/** Between two looks at what may be there at once, and at what takes seconds: each look costs several processes time. */
const [SHORTEST_MS, LONGEST_MS] = [10, 150];

/** Polls until `probe` returns something; the test's own time limit ends a wait in vain. */
export async function waitFor<Value>(probe: () => Promise<Value | undefined>): Promise<Value> {
  for (let pauseMs = SHORTEST_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_MS)) {
    const value = await probe();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

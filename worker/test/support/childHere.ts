import { readSettings } from "../../src/config/commandLine.ts";
import { failureOf } from "../../src/errors.ts";
import { createLogger } from "../../src/logger.ts";
import { prepareRoles } from "../../src/start/prepareRoles.ts";
import { Output } from "./processes.ts";

type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** A worker in this process, seen as a process is: lines, the signal that asks it to stop, and how it ended. */
export class ChildHere extends Output {
  readonly exited: Promise<Exit>;
  readonly #stopping = new AbortController();

  constructor(parameters: {
    roles: readonly string[];
    settings: Readonly<Record<string, string>>;
  }) {
    super();
    this.exited = this.#run(parameters);
  }

  kill(signal: NodeJS.Signals): void {
    if (signal !== "SIGTERM" && signal !== "SIGINT") {
      throw new Error(`${signal}: only a worker in a process of its own can be killed`);
    }
    this.#stopping.abort();
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.kill(signal);
    await this.exited;
  }

  /** Stops it: what is in flight is finished, as no process is asked to at a test's end. */
  async end(): Promise<void> {
    await this.stop();
  }

  async #run({
    roles,
    settings,
  }: {
    roles: readonly string[];
    settings: Readonly<Record<string, string>>;
  }): Promise<Exit> {
    const { signal } = this.#stopping;
    const stopped = new Promise((resolve) => signal.addEventListener("abort", resolve));
    let code = 0;
    try {
      const environment = settings;
      const folder = process.cwd();
      const read = readSettings({ roles, options: {}, environment, folder });
      const { logLevel, start } = prepareRoles(roles, read);
      const output = { write: (text: string) => this.say(text.trimEnd()) };
      const logger = createLogger({ level: logLevel, output });
      const worker = await start({ logger, signal });
      await stopped;
      await worker.stop();
      logger.info("stopped");
    } catch (error) {
      if (!signal.aborted) {
        const { line, status } = failureOf(error);
        this.say(line);
        code = status;
      }
    }
    this.saidAll();
    return { code, signal: null };
  }
}

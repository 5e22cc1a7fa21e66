import { onTestFinished } from "vitest";
import { type Settings, WorkerProcess } from "./worker.ts";

/** A process that is started again with the same queue and port each time that it is killed. */
export class Machine {
  readonly #settings: Settings;
  readonly #role: "validate" | "watch";
  #process: WorkerProcess | undefined;

  constructor(settings: Settings, role: "validate" | "watch") {
    this.#settings = settings;
    this.#role = role;
    onTestFinished(() => this.kill());
  }

  async start(): Promise<void> {
    this.#process = new WorkerProcess({ settings: this.#settings, roles: [this.#role] });
    await this.#process.url();
  }

  async kill(): Promise<void> {
    await this.#process?.child.stop("SIGKILL");
    this.#process = undefined;
  }
}

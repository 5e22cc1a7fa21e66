import { setTimeout as pause } from "node:timers/promises";
import type { Child } from "./processes.ts";

export type Part = "gateway" | "worker";
type Starters = Record<Part, () => { child: Child; url: Promise<string> }>;

/** A gateway and its worker, each killed and started again, with the same disks, as often as one likes. */
export class KilledPair {
  readonly #starters: Starters;
  readonly #children = new Map<Part, Child>();
  #busy: Promise<void> = Promise.resolve();
  #url: Promise<string> = Promise.resolve("");
  deaths = 0;

  constructor(starters: Starters) {
    this.#starters = starters;
  }

  /** Where the gateway listens, once it does. */
  get url(): Promise<string> {
    return this.#url;
  }

  start(part: Part): Promise<string> {
    const { child, url } = this.#starters[part]();
    this.#children.set(part, child);
    if (part === "gateway") this.#url = url;
    return url;
  }

  /** Kills some, all at once, and starts them again; one death after another. */
  kill(parts: readonly Part[], delayMs: number): void {
    this.#busy = this.#busy.then(async () => {
      await pause(delayMs);
      const dying = parts.flatMap((part) => this.#children.get(part) ?? []);
      for (const child of dying) child.kill("SIGKILL");
      for (const child of dying) await child.exited;
      this.deaths += 1;
      // The gateway does not listen before the worker has what it may not have.
      await Promise.all(parts.map((part) => this.start(part)));
    });
  }

  /** Returns when nobody is dying. */
  settled(): Promise<void> {
    return this.#busy;
  }

  async stop(): Promise<void> {
    for (const child of this.#children.values()) await child.stop("SIGKILL");
  }
}

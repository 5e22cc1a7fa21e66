import type { Proof, Prover, Proving, ProvingModel } from "./prover.ts";
import { SnarkjsProver } from "./snarkjsProver.ts";

type Slot = { prover: SnarkjsProver; asked: number };

/** Several snarkjs threads, each started when all before it are busy. */
export class SnarkjsPool implements Prover {
  readonly #threads: number;
  readonly #onOutput: (line: string) => void;
  readonly #models = new Map<string, ProvingModel>();
  readonly #slots: Slot[] = [];

  constructor(parameters: { threads: number; onOutput: (line: string) => void }) {
    this.#threads = parameters.threads;
    this.#onOutput = parameters.onOutput;
  }

  /** Reads the files in one thread, which finds out whether they can be read; later threads read them at their start. */
  async load(parameters: { model: ProvingModel }): Promise<void> {
    for (const { prover } of this.#slots) await prover.load(parameters);
    if (this.#slots.length === 0) await this.#slot().prover.load(parameters);
    this.#models.set(parameters.model.id, parameters.model);
  }

  async prove(parameters: Proving): Promise<Proof> {
    return await this.#with((prover) => prover.prove(parameters));
  }

  async writeWitness(
    parameters: Parameters<SnarkjsProver["writeWitness"]>[0],
  ): Promise<{ witnessMs: number }> {
    return await this.#with((prover) => prover.writeWitness(parameters));
  }

  async verify(parameters: Parameters<Prover["verify"]>[0]): Promise<boolean> {
    return await this.#with((prover) => prover.verify(parameters));
  }

  async close(): Promise<void> {
    await Promise.all(this.#slots.map(({ prover }) => prover.close()));
  }

  /** As `close`, but the next request starts threads again. */
  async restart(): Promise<void> {
    await Promise.all(this.#slots.map(({ prover }) => prover.restart()));
  }

  /** Threads that were started. */
  get size(): number {
    return this.#slots.length;
  }

  async #with<Result>(ask: (prover: SnarkjsProver) => Promise<Result>): Promise<Result> {
    const slot = this.#slot();
    slot.asked += 1;
    try {
      return await ask(slot.prover);
    } finally {
      slot.asked -= 1;
    }
  }

  #slot(): Slot {
    const [freest] = [...this.#slots].sort((a, b) => a.asked - b.asked);
    if (freest !== undefined && (freest.asked === 0 || this.#slots.length === this.#threads)) {
      return freest;
    }
    const models = [...this.#models.values()];
    const slot = { prover: new SnarkjsProver({ onOutput: this.#onOutput, models }), asked: 0 };
    this.#slots.push(slot);
    return slot;
  }
}

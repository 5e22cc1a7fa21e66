import type { Proof, Prover, ProvingModel } from "./prover.ts";
import { SnarkjsProver } from "./snarkjsProver.ts";

type Lane = { prover: SnarkjsProver; asked: number };

/** Several snarkjs threads, each started when all before it are busy. */
export class SnarkjsPool implements Prover {
  readonly #threads: number;
  readonly #onOutput: (line: string) => void;
  readonly #models = new Map<string, ProvingModel>();
  readonly #lanes: Lane[] = [];

  constructor(parameters: { threads: number; onOutput: (line: string) => void }) {
    this.#threads = parameters.threads;
    this.#onOutput = parameters.onOutput;
  }

  /** Reads the files in one thread, which finds out whether they can be read; later threads read them at their start. */
  async load(parameters: { model: ProvingModel }): Promise<void> {
    for (const { prover } of this.#lanes) await prover.load(parameters);
    if (this.#lanes.length === 0) await this.#lane().prover.load(parameters);
    this.#models.set(parameters.model.id, parameters.model);
  }

  async prove(parameters: Parameters<Prover["prove"]>[0]): Promise<Proof> {
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
    await Promise.all(this.#lanes.map(({ prover }) => prover.close()));
  }

  /** As `close`, but the next request starts threads again. */
  async restart(): Promise<void> {
    await Promise.all(this.#lanes.map(({ prover }) => prover.restart()));
  }

  /** Threads that were started. */
  get size(): number {
    return this.#lanes.length;
  }

  async #with<Result>(ask: (prover: SnarkjsProver) => Promise<Result>): Promise<Result> {
    const lane = this.#lane();
    lane.asked += 1;
    try {
      return await ask(lane.prover);
    } finally {
      lane.asked -= 1;
    }
  }

  #lane(): Lane {
    const [freest] = [...this.#lanes].sort((a, b) => a.asked - b.asked);
    if (freest !== undefined && (freest.asked === 0 || this.#lanes.length === this.#threads)) {
      return freest;
    }
    const models = [...this.#models.values()];
    const lane = { prover: new SnarkjsProver({ onOutput: this.#onOutput, models }), asked: 0 };
    this.#lanes.push(lane);
    return lane;
  }
}

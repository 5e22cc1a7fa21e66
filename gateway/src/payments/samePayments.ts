/** Paid requests by what says that a later one is the same, as long as a later one may come. */
export class SamePayments<Asked> {
  readonly #keepMs: number;
  readonly #asked = new Map<string, { asked: Asked; at: number }>();

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  get size(): number {
    return this.#asked.size;
  }

  find(key: string): Asked | undefined {
    const found = this.#asked.get(key);
    return found !== undefined && Date.now() - found.at < this.#keepMs ? found.asked : undefined;
  }

  remember(key: string, asked: Asked): void {
    this.prune();
    this.#asked.delete(key);
    this.#asked.set(key, { asked, at: Date.now() });
  }

  /** Lets go of one that paid nothing: whoever signs what they have not would fill the memory. */
  forget(key: string, asked: Asked): void {
    if (this.#asked.get(key)?.asked === asked) this.#asked.delete(key);
  }

  /** Lets go of those whose time is over. */
  prune(): void {
    const oldest = Date.now() - this.#keepMs;
    for (const [key, { at }] of this.#asked) {
      if (at > oldest) break;
      this.#asked.delete(key);
    }
  }
}

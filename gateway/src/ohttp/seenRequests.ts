/** Requests that have been opened, so that none is answered twice: the latest of them, and no more memory than these take. */
export class SeenRequests {
  readonly #seen = new Set<string>();
  readonly #maximum: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Notes what a request is encapsulated with, which no two honest requests share. False: it was there already. */
  add(encapsulated: Uint8Array): boolean {
    const key = Buffer.from(encapsulated).toString("latin1");
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (this.#seen.size > this.#maximum) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return true;
  }
}

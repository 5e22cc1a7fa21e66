/** Requests that have been opened, so that none is answered twice: the latest of them, and no more memory than these take. */
export class SeenRequests {
  /** for which payment each was opened; empty: for none */
  readonly #seen = new Map<string, string>();
  readonly #maximum: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * Notes what a request is encapsulated with, which no two honest requests share. False: it was there already, and not for this
   * payment.
   * @param payment that it is opened for: it may be opened again for the same
   */
  add(encapsulated: Uint8Array, payment = ""): boolean {
    const key = keyOf(encapsulated);
    const before = this.#seen.get(key);
    if (before !== undefined) return payment !== "" && before === payment;
    this.#seen.set(key, payment);
    if (this.#seen.size > this.#maximum) {
      for (const oldest of this.#seen.keys()) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** Forgets one whose payment was not taken. */
  forget(encapsulated: Uint8Array, payment: string): void {
    const key = keyOf(encapsulated);
    if (this.#seen.get(key) === payment) this.#seen.delete(key);
  }
}

const keyOf = (encapsulated: Uint8Array): string => Buffer.from(encapsulated).toString("latin1");

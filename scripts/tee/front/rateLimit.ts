const WINDOW_MS = 60_000;
/** Addresses that are remembered at most; with more of them in a minute, further ones wait. */
const MAXIMUM_ADDRESSES = 10_000;

/** Counts requests by address, so that one address cannot take the front from the others. */
export class RateLimit {
  readonly #perMinute: number;
  readonly #clock: () => number;
  #began: number;
  #counts = new Map<string, number>();

  /** @param parameters.clock milliseconds that only move forward */
  constructor(parameters: { perMinute: number; clock: () => number }) {
    this.#perMinute = parameters.perMinute;
    this.#clock = parameters.clock;
    this.#began = parameters.clock();
  }

  /** Whether another request of this address is within its share of the present minute. */
  take(address: string): boolean {
    const now = this.#clock();
    if (now - this.#began >= WINDOW_MS) {
      this.#began = now;
      this.#counts = new Map();
    }
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#perMinute) return false;
    if (count === 0 && this.#counts.size >= MAXIMUM_ADDRESSES) return false;
    this.#counts.set(address, count + 1);
    return true;
  }
}

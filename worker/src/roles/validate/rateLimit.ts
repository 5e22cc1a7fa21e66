/** Addresses that are remembered: whoever has more of them must not fill the memory. */
const MOST_ADDRESSES = 10_000;

/** So many requests in a row from an address, and so many a second after that. */
export class RateLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  /** by address: requests that are left, and when that was, in seconds */
  readonly #left = new Map<string, { count: number; at: number }>();

  constructor(
    limits: { burst: number; perSecond: number },
    now: () => number = () => performance.now() / 1_000,
  ) {
    this.#burst = limits.burst;
    this.#perSecond = limits.perSecond;
    this.#now = now;
  }

  /** Counts a request. Returns 0 where it is within the limit, else after how many seconds another one is. */
  take(address: string): number {
    const at = this.#now();
    const before = this.#left.get(address) ?? { count: this.#burst, at };
    const count = Math.min(this.#burst, before.count + (at - before.at) * this.#perSecond);
    const isWithin = count >= 1;
    // The oldest one goes: an address that comes back has its burst again.
    this.#left.delete(address);
    if (this.#left.size >= MOST_ADDRESSES) {
      const [oldest] = this.#left.keys();
      if (oldest !== undefined) this.#left.delete(oldest);
    }
    this.#left.set(address, { count: isWithin ? count - 1 : count, at });
    return isWithin ? 0 : Math.ceil((1 - count) / this.#perSecond);
  }
}

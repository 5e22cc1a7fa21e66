import { performance } from "node:perf_hooks";

/** Difference that counts as a wrong clock, in seconds; the contract takes results up to 60 s from the future. */
const TOLERANCE_SECONDS = 30;
/** Rest between two looks up to which a new block can be taken for a young one. */
const LOOK_SECONDS = 30;

/**
 * The chain's time, by which the contracts judge what this process dates. It is this machine's, unless the chain shows
 * that to be wrong: a block from later than now, or one that appeared between two looks shortly after each other and is
 * old all the same. A chain that makes no blocks proves nothing.
 */
export class ChainClock {
  readonly #now: () => number;
  readonly #monotonic: () => number;
  #latest = 0;
  #lookedAt: number | undefined;
  #ahead = 0;

  /** Both clocks in milliseconds; the second never steps. */
  constructor(now: () => number = Date.now, monotonic: () => number = () => performance.now()) {
    this.#now = now;
    this.#monotonic = monotonic;
  }

  /** By how many seconds this machine's clock is ahead of the chain's; negative: behind; 0: no reason for doubt. */
  get aheadSeconds(): number {
    return this.#ahead;
  }

  /** Takes note of the latest block's time, in unix seconds. */
  observe(timestamp: number): void {
    const looked = this.#monotonic() / 1000;
    const sinceLook = this.#lookedAt === undefined ? undefined : looked - this.#lookedAt;
    const difference = Math.floor(this.#now() / 1000) - timestamp;
    if (difference < 0) {
      // A block cannot be from the future; the little by which clocks always differ does no harm.
      this.#ahead = difference < -TOLERANCE_SECONDS ? difference : 0;
    } else if (timestamp !== this.#latest && sinceLook !== undefined && sinceLook <= LOOK_SECONDS) {
      this.#ahead = difference > LOOK_SECONDS + TOLERANCE_SECONDS ? difference : 0;
    } else if (this.#ahead < 0) {
      this.#ahead = 0;
    }
    this.#latest = timestamp;
    this.#lookedAt = looked;
  }

  /** Unix seconds; never before the latest block that was seen. */
  seconds(): number {
    return Math.max(this.#latest, Math.floor(this.#now() / 1000) - this.#ahead);
  }
}

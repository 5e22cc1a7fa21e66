import { ClientGoneError, RefusedRequestError } from "../gatewayError.ts";

/** How many requests are answered at once, and how many wait for that; the others are refused at once. */
export class Admission {
  readonly #limits: { running: number; waiting: number; waitMs: number };
  readonly #waiting = new Set<() => void>();
  readonly #idle: (() => void)[] = [];
  #running = 0;

  constructor(limits: { running: number; waiting: number; waitMs: number }) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Returns when it is the caller's turn, with what ends it; once is enough.
   * @throws RefusedRequestError where too many wait, or for too long; ClientGoneError
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (this.#running < this.#limits.running) this.#running += 1;
    else await this.#turn(signal);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#leave();
    };
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { waiting, waitMs } = this.#limits;
    if (this.#waiting.size >= waiting) throw busy();
    await new Promise<void>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", gone);
        this.#waiting.delete(begin);
      };
      const begin = () => {
        end();
        resolve();
      };
      const giveUp = (error: Error) => {
        end();
        reject(error);
      };
      const gone = () => giveUp(new ClientGoneError());
      const timer = setTimeout(() => giveUp(busy()), waitMs);
      signal.addEventListener("abort", gone);
      this.#waiting.add(begin);
      if (signal.aborted) gone();
    });
  }

  /** Returns when nobody has a turn or waits for one. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** The turn goes to who has waited longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next !== undefined) {
      next();
      return;
    }
    this.#running -= 1;
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}

const busy = (): RefusedRequestError =>
  new RefusedRequestError({
    ...{ status: 429, code: "gateway.busy", message: "too many requests are being answered" },
    retryAfter: 1,
  });

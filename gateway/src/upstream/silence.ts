/** Aborts when nothing has been heard for a while. */
export class Silence {
  readonly #controller = new AbortController();
  readonly #milliseconds: number;
  readonly #reason: () => Error;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, reason: () => Error) {
    this.#milliseconds = milliseconds;
    this.#reason = reason;
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Begins to wait afresh. */
  heard(): void {
    this.end();
    this.#timer = setTimeout(() => this.#controller.abort(this.#reason()), this.#milliseconds);
  }

  /** Waits no more. */
  end(): void {
    clearTimeout(this.#timer);
  }
}

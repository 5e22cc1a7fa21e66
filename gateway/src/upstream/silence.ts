/** Calls when nothing has been heard for a while. */
export class Silence {
  readonly #milliseconds: number;
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, onSilence: () => void) {
    this.#milliseconds = milliseconds;
    this.#onSilence = onSilence;
    this.heard();
  }

  /** Begins to wait afresh. */
  heard(): void {
    this.end();
    this.#timer = setTimeout(this.#onSilence, this.#milliseconds);
  }

  /** Waits no more. */
  end(): void {
    clearTimeout(this.#timer);
  }
}

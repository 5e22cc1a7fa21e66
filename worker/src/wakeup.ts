/** Lets one part of the process tell another that there is work, which otherwise looks once per interval. */
export class Wakeup {
  #rung = false;
  #ring: (() => void) | undefined;

  /** Ends the current `wait`, or the next one at once. */
  notify(): void {
    this.#rung = true;
    this.#ring?.();
  }

  /** Returns after `notify`, after `milliseconds`, or when `signal` is aborted: whichever is first. */
  async wait(parameters: { milliseconds: number; signal: AbortSignal }): Promise<void> {
    const { milliseconds, signal } = parameters;
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, milliseconds);
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        }
        signal.addEventListener("abort", done);
        this.#ring = done;
      });
    }
    this.#ring = undefined;
    this.#rung = false;
  }
}

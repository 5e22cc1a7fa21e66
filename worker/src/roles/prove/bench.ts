/**
 * Who works in this process: several jobs at once, or one on its own. One bench is shared by the loops of the role
 * `prove`.
 */
export class Bench {
  #inWork = 0;
  #isAlone = false;

  get isEmpty(): boolean {
    return this.#inWork === 0;
  }

  /** Whether a job is in work that must have no company. */
  get isTaken(): boolean {
    return this.#isAlone;
  }

  /** Takes a place; `leave` gives it back. */
  enter(parameters: { alone: boolean }): void {
    this.#inWork += 1;
    this.#isAlone = parameters.alone;
  }

  leave(): void {
    this.#inWork -= 1;
    this.#isAlone = false;
  }
}

/** How often a running step says that it is still at work. */
const INTERVAL_MS = 2_000;

/** What a step can report while it runs; the text is shown with the next progress line. */
export type Report = (detail: string) => void;

/**
 * Runs the steps of a command one after another and prints a line for each: its number and title at the
 * start, a progress line every two seconds, and the time it took at the end.
 */
export class Steps {
  readonly #total: number;
  #number = 0;

  constructor(parameters: { total: number }) {
    this.#total = parameters.total;
  }

  async run<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
    this.#number += 1;
    console.log(`[${this.#number}/${this.#total}] ${title}`);
    const started = Date.now();
    let detail = "";
    const timer = setInterval(() => {
      console.log(`      … ${elapsed(started)}${detail === "" ? "" : `  ${detail}`}`);
    }, INTERVAL_MS);
    try {
      const result = await work((text) => {
        detail = text;
      });
      console.log(`      done in ${elapsed(started)}`);
      return result;
    } finally {
      clearInterval(timer);
    }
  }
}

function elapsed(started: number): string {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}

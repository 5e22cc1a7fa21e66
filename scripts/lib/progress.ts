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
    const result = await tellingProgress((line) => console.log(`      ${line}`), work);
    console.log(`      done in ${elapsed(started)}`);
    return result;
  }
}

/** Runs one step, and says on standard error every two seconds that it is at work: what is asked for goes to the other stream. */
export const withProgress = <T>(title: string, work: (report: Report) => Promise<T>): Promise<T> =>
  tellingProgress((line) => console.error(`${title} ${line}`), work);

async function tellingProgress<T>(
  tell: (line: string) => void,
  work: (report: Report) => Promise<T>,
): Promise<T> {
  const started = Date.now();
  let detail = "";
  const timer = setInterval(() => {
    tell(`… ${elapsed(started)}${detail === "" ? "" : `  ${detail}`}`);
  }, INTERVAL_MS);
  try {
    return await work((text) => {
      detail = text;
    });
  } finally {
    clearInterval(timer);
  }
}

function elapsed(started: number): string {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}

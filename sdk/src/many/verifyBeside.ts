import { type Line, lineOf } from "../line.ts";
import { toReceipt } from "../receipt/parseReceipt.ts";
import { serialiseReceipt } from "../receipt/serialiseReceipt.ts";
import type { VerifyOptions } from "../verify.ts";
import { makeBreather } from "./breather.ts";
import { type Sources, verifyInParts } from "./verifyInParts.ts";

/** Receipts as bytes or texts, in parts; the last one has the options. Of several jobs at once the parts are told apart. */
export type ToThread = {
  job: number;
  part: readonly (Uint8Array | string)[];
  options?: VerifyOptions;
};

/** What is said of them: lines in their order, in parts; then that these are all, or why there are no more. */
export type FromThread = { job: number } & (
  | { results: readonly (readonly Line[])[] }
  | { isDone: true }
  | { failure: string }
);

/** Another thread, which verifies. */
export type Thread = {
  post: (message: ToThread) => void;
  /** told what it says, and of its end; gives back what stops that */
  listen: (onAnswer: (answer: FromThread) => void, onEnd: (reason: Error) => void) => () => void;
};

/** Characters that are copied to the thread at once: some milliseconds. */
const PART_LENGTH = 1_000_000;
/** Results that are handed back at once. */
const RESULTS = 64;
let jobs = 0;

/** Has another thread verify, which this one does not wait for but to copy what it needs. Rejects where that one ends. */
export async function verifyBeside(
  thread: Thread,
  sources: Sources,
  options: VerifyOptions,
): Promise<readonly (readonly Line[])[]> {
  jobs += 1;
  const job = jobs;
  const results: (readonly Line[])[] = [];
  const refused = new Map<number, readonly Line[]>();
  let stop = (): void => undefined;
  const done = new Promise<void>((resolve, reject) => {
    stop = thread.listen((answer) => {
      if (answer.job !== job) return;
      if ("results" in answer) results.push(...answer.results);
      else if ("failure" in answer) reject(new Error(answer.failure));
      else resolve();
    }, reject);
  });
  // Nobody waits for it while the receipts are copied.
  done.catch(() => undefined);
  try {
    const breathe = makeBreather();
    let [part, length]: [(Uint8Array | string)[], number] = [[], 0];
    for (const [place, source] of sources.entries()) {
      const written = writtenOf(source);
      if (typeof written === "object" && "refusal" in written) {
        refused.set(place, [lineOf("form", "refuted", written.refusal)]);
      } else {
        part.push(written);
        length += written.length;
      }
      if (length >= PART_LENGTH) {
        thread.post({ job, part });
        [part, length] = [[], 0];
      }
      await breathe();
    }
    thread.post({ job, part, options });
    await done;
  } finally {
    stop();
  }
  const judged = results.values();
  return sources.map((_, place) => refused.get(place) ?? judged.next().value ?? []);
}

/** As bytes or text, which are copied as they are; of what is no receipt, why. */
function writtenOf(source: Sources[number]): Uint8Array | string | { refusal: string } {
  if (typeof source === "string" || source instanceof Uint8Array) return source;
  try {
    return serialiseReceipt(toReceipt(source));
  } catch (error) {
    return { refusal: error instanceof Error ? error.message : "cannot be read" };
  }
}

/** What the other thread does with what it is sent. @param say to who has sent it */
export function verifierOf(
  say: (answer: FromThread) => void,
): (message: ToThread) => Promise<void> {
  const waiting = new Map<number, (Uint8Array | string)[]>();
  return async ({ job, options, part }) => {
    const sources = waiting.get(job) ?? [];
    for (const source of part) sources.push(source);
    waiting.set(job, sources);
    if (options === undefined) return;
    waiting.delete(job);
    try {
      const results = await verifyInParts(sources, options);
      for (let from = 0; from < results.length; from += RESULTS) {
        say({ job, results: results.slice(from, from + RESULTS) });
      }
      say({ job, isDone: true });
    } catch (error) {
      say({ job, failure: error instanceof Error ? error.message : "verifying failed" });
    }
  };
}

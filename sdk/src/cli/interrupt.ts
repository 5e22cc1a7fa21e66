import { BaseError } from "@haca/protocol/baseError";

/** What a shell expects of a command that Ctrl-C ended. */
export const INTERRUPTED = 130;

/** The person, or the system, ended the command. */
export class InterruptedError extends BaseError {
  constructor(message: string) {
    super({ code: "haca.interrupted", message });
  }
}

/** Does something that Ctrl-C and SIGTERM end, with these words; a second one ends the process at once. */
export async function interruptible<Result>(
  words: string,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new InterruptedError(words));
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

import type { FromThread, Thread } from "./verifyBeside.ts";

type Listener = (event: { data?: unknown; message?: unknown }) => void;

/** A page's `Worker` of the module `@haca/sdk/many/verifyWorker`, which the page makes, keeps and ends. */
export type PageWorker = {
  postMessage: (message: unknown) => void;
  addEventListener: (type: string, listener: Listener) => void;
  removeEventListener: (type: string, listener: Listener) => void;
};

export const threadOf = (worker: PageWorker): Thread => ({
  post: (message) => worker.postMessage(message),
  listen(onAnswer, onEnd) {
    const hear: Listener = ({ data }) => onAnswer(data as FromThread);
    const end: Listener = ({ message }) =>
      onEnd(new Error(`the page's worker failed: ${String(message ?? "it says no word")}`));
    const listeners = [
      ["message", hear],
      ["error", end],
      ["messageerror", end],
    ] as const;
    for (const [type, listener] of listeners) worker.addEventListener(type, listener);
    return () => {
      for (const [type, listener] of listeners) worker.removeEventListener(type, listener);
    };
  },
});

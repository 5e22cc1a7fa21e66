import { Worker } from "node:worker_threads";
import { optionError } from "../../client/optionError.ts";
import type { Line } from "../../line.ts";
import type { VerifyOptions } from "../../verify.ts";
import type { PageWorker } from "../pageWorker.ts";
import { type Thread, verifyBeside } from "../verifyBeside.ts";
import type { Sources } from "../verifyInParts.ts";

/** This module's name, which the thread's stands beside, in sources and in the package. */
const OWN = /verifyThem(\.[jt]s)$/;

/** In a thread of its own, which ends with it. @throws BaseError `option.wrong` for a page's worker */
export async function verifyThem(
  sources: Sources,
  options: VerifyOptions,
  page?: PageWorker,
): Promise<readonly (readonly Line[])[]> {
  if (page !== undefined) throw optionError("worker", "is a page's; in Node a thread is started");
  if (sources.length === 0) return [];
  const worker = new Worker(new URL(import.meta.url.replace(OWN, "verifyThread$1")));
  const thread: Thread = {
    post: (message) => worker.postMessage(message),
    listen(onAnswer, onEnd) {
      worker.on("message", onAnswer);
      worker.on("error", onEnd);
      worker.on("exit", () => onEnd(new Error("the verifying thread ended")));
      return () => undefined;
    },
  };
  try {
    return await verifyBeside(thread, sources, options);
  } finally {
    await worker.terminate();
  }
}

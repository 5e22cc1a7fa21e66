import { Worker } from "node:worker_threads";
import { type Line, lineOf } from "../../line.ts";
import { toReceipt } from "../../receipt/parseReceipt.ts";
import { serialiseReceipt } from "../../receipt/serialiseReceipt.ts";
import type { VerifyOptions } from "../../verify.ts";
import { makeBreather } from "../breather.ts";
import type { Sources } from "../verifyInParts.ts";
import type { ToThread } from "./verifyThread.ts";

/** Characters that are copied to the thread at once: some milliseconds. */
const PART_LENGTH = 1_000_000;
/** This module's name, which the thread's stands beside, in sources and in the package. */
const OWN = /verifyThem(\.[jt]s)$/;

/** In a thread of its own, which ends with it. */
export async function verifyThem(
  sources: Sources,
  options: VerifyOptions,
): Promise<readonly (readonly Line[])[]> {
  if (sources.length === 0) return [];
  const worker = new Worker(new URL(import.meta.url.replace(OWN, "verifyThread$1")));
  try {
    const results: (readonly Line[])[] = [];
    const refused = new Map<number, readonly Line[]>();
    const done = new Promise<void>((resolve, reject) => {
      worker.on("message", (part: readonly (readonly Line[])[] | "done") => {
        if (part === "done") resolve();
        else results.push(...part);
      });
      worker.on("error", reject);
      worker.on("exit", () => reject(new Error("the verifying thread ended")));
    });
    // Nobody waits for it while the receipts are copied.
    done.catch(() => undefined);
    const say = (message: ToThread): void => worker.postMessage(message);
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
        say({ part });
        [part, length] = [[], 0];
      }
      await breathe();
    }
    say({ part, options });
    await done;
    const judged = results.values();
    return sources.map((_, place) => refused.get(place) ?? judged.next().value ?? []);
  } finally {
    await worker.terminate();
  }
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

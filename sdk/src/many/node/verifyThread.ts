import { parentPort } from "node:worker_threads";
import type { VerifyOptions } from "../../verify.ts";
import { verifyInParts } from "../verifyInParts.ts";

/** Receipts as bytes or texts, in parts; the last one has the options. */
export type ToThread = { part: readonly (Uint8Array | string)[]; options?: VerifyOptions };

/** Results that are handed back at once. */
const RESULTS = 64;
const sources: (Uint8Array | string)[] = [];

parentPort?.on("message", async ({ options, part }: ToThread) => {
  sources.push(...part);
  if (options === undefined) return;
  const results = await verifyInParts(sources, options);
  for (let from = 0; from < results.length; from += RESULTS) {
    parentPort?.postMessage(results.slice(from, from + RESULTS));
  }
  parentPort?.postMessage("done");
});

import { monitorEventLoopDelay } from "node:perf_hooks";
import { isVerified } from "@haca/sdk/isVerified";
import { verifyInParts } from "@haca/sdk/many/verifyInParts";
import { verifyMany } from "@haca/sdk/verifyMany";
import { givenFor } from "./givenFor.ts";

const NANOSECONDS_PER_MS = 1_000_000;

export type ManyFigures = {
  /** of all of them */
  ms: number;
  /** how long this thread was kept from anything else at most */
  longestBlockMs: number;
};

/**
 * Verifies one proved receipt so many times at once: `thread` in a thread of its own, as `verifyMany` does in Node, `parts` on this
 * one, as in browsers.
 */
export async function measureMany(count: number, where: "thread" | "parts"): Promise<ManyFigures> {
  const { now, pins, receipt } = givenFor("receiptZkml");
  const options = { pins, now: BigInt(now) };
  const verifyThem = where === "thread" ? verifyMany : verifyInParts;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const start = performance.now();
  delay.enable();
  const results = await verifyThem(
    Array.from({ length: count }, () => receipt),
    options,
  );
  delay.disable();
  const ms = performance.now() - start;
  if (!results.every((lines) => isVerified(lines))) throw new Error("one of them does not hold");
  return { ms, longestBlockMs: delay.max / NANOSECONDS_PER_MS };
}

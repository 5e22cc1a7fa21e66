/** What the benchmark's page in a browser does. */
import { isVerified } from "@haca/sdk/isVerified";
import { verifyMany } from "@haca/sdk/verifyMany";
import type { ManyFigures } from "./manyReceipts.ts";
import { type Given, VERIFICATIONS, type VerificationName } from "./verifications.ts";

const inPage = {
  /** Milliseconds of so many runs after a first one. */
  async timesOf(asked: { name: VerificationName; given: Given; runs: number }): Promise<number[]> {
    const run = VERIFICATIONS[asked.name](asked.given);
    await run();
    const times: number[] = [];
    for (let i = 0; i < asked.runs; i += 1) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
    return times;
  },

  /** So many times one receipt at once. What keeps the page is seen by a timer, which browsers let go off every 4 ms. */
  async manyOf(asked: { count: number; given: Given }): Promise<ManyFigures> {
    const { now, pins, receipt } = asked.given;
    let [longestBlockMs, last] = [0, performance.now()];
    const look = (): void => {
      const at = performance.now();
      longestBlockMs = Math.max(longestBlockMs, at - last);
      last = at;
    };
    const timer = setInterval(look);
    const start = performance.now();
    const receipts = Array.from({ length: asked.count }, () => receipt);
    const results = await verifyMany(receipts, { pins, now: BigInt(now) });
    const ms = performance.now() - start;
    clearInterval(timer);
    if (!results.every((lines) => isVerified(lines))) throw new Error("one of them does not hold");
    return { ms, longestBlockMs };
  },
};

export type InPage = typeof inPage;
Object.assign(globalThis, { inPage });

import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { RetryableError } from "../src/errors.ts";
import { backoffMs, type Condition, repeat, Wakeup } from "../src/repeat.ts";

const logger = pino({ level: "silent" });
const HOUR_MS = 3_600_000;

/** Repeats `pass`, which ends the repetition itself by calling `stop`. */
async function run(pass: (stop: () => void, wakeup: Wakeup) => Promise<boolean>) {
  const stopping = new AbortController();
  const wakeup = new Wakeup();
  const conditions: Condition[] = [];
  await repeat({
    name: "test",
    pass: () => pass(() => stopping.abort(), wakeup),
    wakeup,
    intervalMs: HOUR_MS,
    signal: stopping.signal,
    logger,
    report: (condition) => conditions.push(condition),
  });
  return conditions;
}

describe("repeat", () => {
  it("goes on at once while there is work", async () => {
    let passes = 0;
    await run(async (stop) => {
      passes += 1;
      if (passes === 5) stop();
      return passes < 5;
    });
    expect(passes).toBe(5);
  });

  it("waits for a wake-up, and does not lose one that comes during a pass", async () => {
    let passes = 0;
    await run(async (stop, wakeup) => {
      passes += 1;
      if (passes < 3) wakeup.notify();
      else stop();
      return false;
    });
    expect(passes).toBe(3);
  });

  it("survives failures, and says so", async () => {
    let passes = 0;
    const conditions = await run(async (stop) => {
      passes += 1;
      if (passes === 1) throw new RetryableError({ code: "test.down", message: "down" });
      stop();
      return false;
    });
    expect(conditions).toMatchObject([
      { state: "backing off", error: "down" },
      { state: "working" },
    ]);
  });
});

describe("backoffMs", () => {
  const delay = (failures: number, random: number) =>
    backoffMs({ failures, baseMs: 100, maximumMs: 1_000, random: () => random });

  it("doubles up to its limit", () => {
    expect([1, 2, 3, 4, 5, 1_000].map((failures) => delay(failures, 1))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  it("takes a random half away", () => {
    expect([delay(3, 0), delay(3, 0.5)]).toEqual([200, 300]);
  });
});

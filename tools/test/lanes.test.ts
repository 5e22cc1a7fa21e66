import { describe, expect, it } from "vitest";
import { inOrder, lanesOf, nextStep, runInLanes, type Step } from "./lanes.ts";
import { BUILD, SUITES } from "./suites.ts";

const names = (steps: readonly Step[]) => steps.map(({ name }) => name);

/** Runs the steps on a clock of their own: what started when, and when the last one ended. */
async function simulate(steps: readonly Step[], lanes: number) {
  let now = 0;
  const started: Record<string, number> = {};
  const timers: { at: number; end: () => void }[] = [];
  let isOver = false;
  const all = runInLanes({
    steps,
    lanes,
    run: (step) => {
      started[step.name] = now;
      return new Promise((resolve) => timers.push({ at: now + step.seconds, end: resolve }));
    },
  }).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    timers.sort((a, b) => a.at - b.at);
    const timer = timers.shift();
    if (timer !== undefined) {
      now = timer.at;
      timer.end();
    }
    // The lanes see the end and start what comes next before the clock goes on.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  return { started, makespan: now };
}

describe("inOrder", () => {
  const steps = [
    { name: "short", seconds: 1 },
    { name: "first", seconds: 2 },
    { name: "long", seconds: 5 },
    { name: "then", seconds: 9, after: ["first"] },
  ];

  it("keeps the list for one lane", () => {
    expect(names(inOrder(steps, 1))).toEqual(["short", "first", "long", "then"]);
  });

  it("puts first what most time hangs on", () => {
    expect(names(inOrder(steps, 2))).toEqual(["first", "then", "long", "short"]);
  });
});

describe("lanesOf", () => {
  it("takes one more than two cores, where there is the memory", () => {
    expect(lanesOf({ cores: 1, memory: 64e9 })).toBe(1);
    expect(lanesOf({ cores: 2, memory: 8e9 })).toBe(2);
    expect(lanesOf({ cores: 2, memory: 16e9 })).toBe(3);
    expect(lanesOf({ cores: 16, memory: 64e9 })).toBe(3);
  });
});

describe("nextStep", () => {
  const build = { name: "build", seconds: 1 };
  const test = { name: "test", seconds: 1, after: ["build"] };

  it("waits for what must have ended before, and not for what is no part of the run", () => {
    expect(nextStep({ waiting: [test, build], running: [] })).toBe(build);
    expect(nextStep({ waiting: [test], running: [build] })).toBeUndefined();
    expect(nextStep({ waiting: [test], running: [] })).toBe(test);
  });

  it("keeps steps apart that use the same", () => {
    const one = { name: "one", seconds: 1, uses: ["port", "folder"] };
    const two = { name: "two", seconds: 1, uses: ["folder"] };
    const three = { name: "three", seconds: 1, uses: ["other"] };
    expect(nextStep({ waiting: [two, three], running: [one] })).toBe(three);
    expect(nextStep({ waiting: [two], running: [one] })).toBeUndefined();
    expect(nextStep({ waiting: [two], running: [three] })).toBe(two);
  });
});

describe("runInLanes", () => {
  it("runs one after another in one lane, everything once", async () => {
    const steps = [
      { name: "a", seconds: 3 },
      { name: "b", seconds: 1 },
      { name: "c", seconds: 2 },
    ];
    expect(await simulate(steps, 1)).toEqual({ started: { a: 0, b: 3, c: 4 }, makespan: 6 });
  });

  it("fills a lane that became free", async () => {
    const steps = [
      { name: "a", seconds: 3 },
      { name: "b", seconds: 2 },
      { name: "c", seconds: 2 },
    ];
    expect(await simulate(steps, 2)).toEqual({ started: { a: 0, b: 0, c: 2 }, makespan: 4 });
  });

  it("leaves a lane empty while what is left has to wait", async () => {
    const steps = [
      { name: "a", seconds: 3, uses: ["port"] },
      { name: "b", seconds: 2, uses: ["port"] },
      { name: "c", seconds: 1, after: ["b"] },
    ];
    const { started } = await simulate(steps, 2);
    expect(started).toEqual({ a: 0, b: 3, c: 5 });
  });

  it.each([2, 3])("ends %i lanes of npm test near the same time", async (lanes) => {
    const steps = [BUILD, ...SUITES];
    const { started, makespan } = await simulate(steps, lanes);
    expect(Object.keys(started)).toHaveLength(steps.length);
    const total = steps.reduce((sum, { seconds }) => sum + seconds, 0);
    expect(makespan).toBeLessThan((1.1 * total) / lanes);
  });

  it("ends with the first failure, and says of steps that can never start that they cannot", async () => {
    const run = () => Promise.reject(new Error("no"));
    const steps = [{ name: "a", seconds: 1 }];
    await expect(runInLanes({ steps, lanes: 2, run })).rejects.toThrow("no");
    const circle = [
      { name: "a", seconds: 1, after: ["b"] },
      { name: "b", seconds: 1, after: ["a"] },
    ];
    const never = runInLanes({ steps: circle, lanes: 2, run: () => Promise.resolve() });
    await expect(never).rejects.toThrow("wait for each other: a, b");
  });
});

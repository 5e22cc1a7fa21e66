import { expect, it } from "vitest";
import { countHardhat } from "./countHardhat.ts";

it("adds the summaries of a run and ignores colours", () => {
  const output = "  ✔ a (1ms)\n\n  \u001b[32m12 passing\u001b[39m (3s)\n  2 failing\n  1 pending\n";
  expect(countHardhat({ output })).toEqual({ passed: 12, failed: 2, skipped: 1 });
});

it("does not take a test's title for a summary", () => {
  expect(countHardhat({ output: "  ✔ refuses 3 passing votes\n" })).toEqual({
    passed: 0,
    failed: 0,
    skipped: 0,
  });
});

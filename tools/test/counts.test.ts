import { describe, expect, it } from "vitest";
import { countCargo, countHardhat } from "./counts.ts";

describe("counts of hardhat test", () => {
  it("adds the summaries of a run and ignores colours", () => {
    const output =
      "  ✔ a (1ms)\n\n  \u001b[32m12 passing\u001b[39m (3s)\n  2 failing\n  1 pending\n";
    expect(countHardhat({ output })).toEqual({ passed: 12, failed: 2, skipped: 1 });
  });

  it("does not take a test's title for a summary", () => {
    expect(countHardhat({ output: "  ✔ refuses 3 passing votes\n" })).toEqual({
      passed: 0,
      failed: 0,
      skipped: 0,
    });
  });
});

describe("counts of cargo test", () => {
  it("adds the summaries of all test programs", () => {
    const output = [
      "test a ... ok",
      "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
      "test result: \u001b[31mFAILED\u001b[0m. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
    ].join("\n");
    expect(countCargo({ output })).toEqual({ passed: 15, failed: 2, skipped: 1 });
  });

  it("counts a missing toolchain as one skipped test", () => {
    const output =
      "suite skipped: cargo is not installed: the native prover needs a Rust toolchain\n";
    expect(countCargo({ output })).toEqual({ passed: 0, failed: 0, skipped: 1 });
  });

  it("does not take a test's name or output for a summary", () => {
    const output = "test says_test_result: ok. 3 passed; 1 failed; 0 ignored; ... ok\n";
    expect(countCargo({ output })).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });
});

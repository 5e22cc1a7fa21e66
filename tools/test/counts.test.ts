import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countCargo, countHardhat, countPytest, countVitest } from "./counts.ts";

describe("counts of hardhat test", () => {
  it("adds the summaries of a run and ignores colours", () => {
    const output =
      "  ✔ a (1ms)\n\n  \u001b[32m12 passing\u001b[39m (3s)\n  2 failing\n  1 pending\n";
    expect(countHardhat({ output })).toMatchObject({ passed: 12, failed: 2, skipped: 1 });
  });

  it("names what failed, with its suites", () => {
    const output = [
      "  OPG",
      "    transfer",
      "      1) moves votes: all of them",
      "    ✔ burns",
      "",
      "  12 passing (3s)",
      "  2 failing",
      "",
      "  1) OPG",
      "       transfer",
      "         moves votes: all of them:",
      "     AssertionError: expected 1 to equal 2",
      "      at file:1:2",
      "",
      '  2) "before each" hook:',
      "     Error: no chain:",
      "  Failure (1): test_Burns()",
      "    Reason: Burns too much",
    ].join("\n");
    expect(countHardhat({ output }).failures).toEqual([
      "OPG > transfer > moves votes: all of them: AssertionError: expected 1 to equal 2",
      '"before each" hook: Error: no chain:',
      "test_Burns(): Reason: Burns too much",
    ]);
  });

  it("does not take a test's title for a summary", () => {
    expect(countHardhat({ output: "  ✔ refuses 3 passing votes\n" })).toEqual({
      passed: 0,
      failed: 0,
      skipped: 0,
      failures: [],
    });
  });
});

describe("counts of cargo test", () => {
  it("adds the summaries of all test programs", () => {
    const output = [
      "test a ... ok",
      "test keys::refuses_a_key ... \u001b[31mFAILED\u001b[0m",
      "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
      "test result: \u001b[31mFAILED\u001b[0m. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
    ].join("\n");
    expect(countCargo({ output })).toEqual({
      ...{ passed: 15, failed: 2, skipped: 1 },
      failures: ["keys::refuses_a_key"],
    });
  });

  it("counts a missing toolchain as one skipped test", () => {
    const output =
      "suite skipped: cargo is not installed: the native prover needs a Rust toolchain\n";
    expect(countCargo({ output })).toMatchObject({ passed: 0, failed: 0, skipped: 1 });
  });

  it("does not take a test's name or output for a summary", () => {
    const output = "test says_test_result: ok. 3 passed; 1 failed; 0 ignored; ... ok\n";
    expect(countCargo({ output })).toEqual({ passed: 0, failed: 0, skipped: 0, failures: [] });
  });
});

describe("counts of pytest", () => {
  it("reads the last line, and names what failed", () => {
    const output = [
      "..F.E 3 passed in 1.00s is no summary",
      "FAILED tests/test_a.py::test_b[x y] - AssertionError: assert 1 == 2",
      "ERROR tests/test_c.py",
      "\u001b[31m1 failed, 12 passed, 2 skipped, 1 error in 4.70s (0:00:04)\u001b[0m",
    ].join("\n");
    expect(countPytest({ output })).toEqual({
      ...{ passed: 12, failed: 2, skipped: 2 },
      failures: ["tests/test_a.py::test_b[x y]: AssertionError: assert 1 == 2", "tests/test_c.py"],
    });
  });

  it("counts one skipped test where the suite says that it was skipped, and nothing of silence", () => {
    const none = { passed: 0, failed: 0, skipped: 0, failures: [] };
    expect(countPytest({ output: "suite skipped: no Python" })).toEqual({ ...none, skipped: 1 });
    expect(countPytest({ output: "" })).toEqual(none);
  });
});

describe("counts of vitest", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "haca-counts-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("come from its report, with what failed by file, suites, title and the first line of why", () => {
    const report = join(folder, "report.json");
    const test = (status: string, title: string) => ({ status, ancestorTitles: ["keys"], title });
    const read = {
      ...{ numPassedTests: 1, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1 },
      testResults: [
        {
          name: "/haca/test/keys.test.ts",
          status: "failed",
          assertionResults: [
            test("passed", "are made"),
            {
              ...test("failed", "are checked"),
              failureMessages: [`\u001b[31mAssertionError\u001b[39m: no key\n    at keys.ts:1`],
            },
          ],
        },
        { name: "/haca/test/broken.test.ts", status: "failed", assertionResults: [] },
      ],
    };
    writeFileSync(report, JSON.stringify(read));
    expect(countVitest({ report })).toEqual({
      ...{ passed: 1, failed: 1, skipped: 2 },
      failures: ["keys.test.ts > keys > are checked: AssertionError: no key", "broken.test.ts"],
    });
  });

  it("are none without a report", () => {
    const none = { passed: 0, failed: 0, skipped: 0, failures: [] };
    expect(countVitest({ report: join(folder, "no-report.json") })).toEqual(none);
  });
});

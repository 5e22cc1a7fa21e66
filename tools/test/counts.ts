import { existsSync, readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import type { SuiteResult } from "./suiteResult.ts";

/** Where a runner leaves its counts: what it printed, or the report that it was asked for. */
export type Count = (parameters: { output: string; report: string }) => SuiteResult;

/** Counts from the summary lines of `hardhat test`: `N passing`, `N failing`, `N pending`, `N skipped`. */
export const countHardhat = ({ output }: { output: string }): SuiteResult => {
  const text = stripVTControlCharacters(output);
  const sum = (word: string): number => {
    const pattern = new RegExp(`^\\s*(\\d+) ${word}\\b`, "gm");
    return [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
  };
  return {
    passed: sum("passing"),
    failed: sum("failing"),
    skipped: sum("pending") + sum("skipped"),
  };
};

const CARGO_SUMMARY = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm;

/**
 * Counts from the summary lines of `cargo test`, one for each test program, or from the line `suite skipped: <reason>`
 * that stands for all of them.
 */
export const countCargo = ({ output }: { output: string }): SuiteResult => {
  const text = stripVTControlCharacters(output);
  const result = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of text.matchAll(CARGO_SUMMARY)) {
    result.passed += Number(passed);
    result.failed += Number(failed);
    result.skipped += Number(ignored);
  }
  if (/^suite skipped: /m.test(text)) result.skipped += 1;
  return result;
};

/** Counts from vitest's JSON report; a missing report counts nothing. */
export const countVitest = ({ report }: { report: string }): SuiteResult => {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests,
    skipped: numPendingTests + numTodoTests,
  };
};

import { existsSync, readFileSync } from "node:fs";
import type { SuiteResult } from "./suiteResult.ts";

/** Counts from vitest's JSON report; a missing report counts nothing. */
export function countVitest({ report }: { report: string }): SuiteResult {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests,
    skipped: numPendingTests + numTodoTests,
  };
}

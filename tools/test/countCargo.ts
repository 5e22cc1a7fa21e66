import { stripVTControlCharacters } from "node:util";
import type { SuiteResult } from "./suiteResult.ts";

const SUMMARY = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm;

/**
 * Counts from the summary lines of `cargo test`, one for each test program, or from the line `suite skipped: <reason>`
 * that stands for all of them.
 */
export function countCargo({ output }: { output: string }): SuiteResult {
  const text = stripVTControlCharacters(output);
  const result = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of text.matchAll(SUMMARY)) {
    result.passed += Number(passed);
    result.failed += Number(failed);
    result.skipped += Number(ignored);
  }
  if (/^suite skipped: /m.test(text)) result.skipped += 1;
  return result;
}

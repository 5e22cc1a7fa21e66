import { stripVTControlCharacters } from "node:util";
import type { SuiteResult } from "./suiteResult.ts";

/** Counts from the summary lines of `hardhat test`: `N passing`, `N failing`, `N pending`, `N skipped`. */
export function countHardhat({ output }: { output: string }): SuiteResult {
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
}

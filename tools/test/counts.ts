import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { SuiteResult } from "./suiteResult.ts";

/** Where a runner leaves its counts, and what failed: what it printed, or the report that it was asked for. */
export type Count = (parameters: { output: string; report: string }) => SuiteResult;

/** Mocha's list of what failed: a number, the suites a line each, and the title with a colon; then what was wrong. */
const MOCHA_FAILURE = /^ {2}\d+\) (.+?(?:\n {7,}.+?)*?):\n+ *(.*)$/gm;
/** The same of Solidity tests: `Failure (1): title`. */
const SOLIDITY_FAILURE = /^\s*Failure \(\d+\): (.+)(?:\n+ *(Reason: .*))?$/gm;

/** As many characters of what was wrong as a reader of the last lines of a run needs to know where to look. */
const MOST_OF_REASON = 300;

/** A test's title with the first line of what was wrong, where the runner says it. */
const withReason = (title: string, reason: string | undefined): string => {
  const first =
    stripVTControlCharacters(reason ?? "")
      .trim()
      .split("\n", 1)[0] ?? "";
  return first === "" ? title : `${title}: ${first.slice(0, MOST_OF_REASON)}`;
};

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
    failures: [MOCHA_FAILURE, SOLIDITY_FAILURE].flatMap((pattern) =>
      [...text.matchAll(pattern)].map(([, title = "", reason]) =>
        withReason(title.replace(/\s*\n\s*/g, " > "), reason),
      ),
    ),
  };
};

const CARGO_FAILURE = /^test (.+) \.\.\. FAILED$/gm;
const CARGO_SUMMARY = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm;

/**
 * Counts from the summary lines of `cargo test`, one for each test program, or from the line `suite skipped: <reason>`
 * that stands for all of them.
 */
export const countCargo = ({ output }: { output: string }): SuiteResult => {
  const text = stripVTControlCharacters(output);
  const failures = [...text.matchAll(CARGO_FAILURE)].map(([, title = ""]) => title);
  const result = { passed: 0, failed: 0, skipped: 0, failures };
  for (const [, passed, failed, ignored] of text.matchAll(CARGO_SUMMARY)) {
    result.passed += Number(passed);
    result.failed += Number(failed);
    result.skipped += Number(ignored);
  }
  if (/^suite skipped: /m.test(text)) result.skipped += 1;
  return result;
};

/** Pytest's last line, as `2 failed, 10 passed, 1 skipped in 3.10s`, with or without a rule around it. */
const PYTEST_SUMMARY = /^[= ]*((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s\b.*$/gm;
const PYTEST_FAILURE = /^(?:FAILED|ERROR) (\S+(?: \S+)*?)(?: - (.*))?$/gm;

/** Counts from pytest's summary line, or from the line `suite skipped: <reason>` that stands for all. */
export const countPytest = ({ output }: { output: string }): SuiteResult => {
  const text = stripVTControlCharacters(output);
  const [, counts = ""] = [...text.matchAll(PYTEST_SUMMARY)].at(-1) ?? [];
  const count = (word: string): number =>
    Number(new RegExp(`(\\d+) ${word}s?\\b`).exec(counts)?.[1] ?? 0);
  return {
    passed: count("passed"),
    failed: count("failed") + count("error"),
    skipped: count("skipped") + (/^suite skipped: /m.test(text) ? 1 : 0),
    failures: [...text.matchAll(PYTEST_FAILURE)].map(([, title = "", reason]) =>
      withReason(title, reason),
    ),
  };
};

/** What we read of vitest's JSON report. */
type VitestReport = Record<
  "numPassedTests" | "numFailedTests" | "numPendingTests" | "numTodoTests",
  number
> & {
  testResults: {
    /** the file */
    name: string;
    status: string;
    assertionResults: {
      status: string;
      ancestorTitles: string[];
      title: string;
      failureMessages?: string[];
    }[];
  }[];
};

/** Counts from vitest's JSON report; a missing report counts nothing. */
export const countVitest = ({ report }: { report: string }): SuiteResult => {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0, failures: [] };
  const read = JSON.parse(readFileSync(report, "utf8")) as VitestReport;
  const failures = read.testResults.flatMap(({ name, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === "failed");
    const file = basename(name);
    // A file that does not load has no test that could be named.
    if (failed.length === 0) return status === "failed" ? [file] : [];
    return failed.map((test) =>
      withReason([file, ...test.ancestorTitles, test.title].join(" > "), test.failureMessages?.[0]),
    );
  });
  return {
    passed: read.numPassedTests,
    failed: read.numFailedTests,
    skipped: read.numPendingTests + read.numTodoTests,
    failures,
  };
};

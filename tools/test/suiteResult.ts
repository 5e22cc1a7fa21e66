/** Tests of one suite, counted. */
export type TestCounts = { passed: number; failed: number; skipped: number };

/** With the names of those that failed, as far as the runner names them. */
export type SuiteResult = TestCounts & { failures: readonly string[] };

/** Sum over suites. */
export function addResults(results: readonly TestCounts[]): TestCounts {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const result of results) {
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
  }
  return total;
}

/** The closing line of a run: `N passed, N failed`, and `, N skipped` where any. */
export function closingLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * What counts when the runner's own counts and its exit status disagree: a runner that ended badly without
 * a failed test, or that ran no test at all, is one failure.
 */
export function reconcile(parameters: { counted: SuiteResult; exitStatus: number }): SuiteResult {
  const { counted, exitStatus } = parameters;
  const ranNothing = counted.passed + counted.failed + counted.skipped === 0;
  if (counted.failed === 0 && (exitStatus !== 0 || ranNothing)) {
    const failure = exitStatus === 0 ? "it ran no test" : `it ended with status ${exitStatus}`;
    return { ...counted, failed: 1, failures: [...counted.failures, failure] };
  }
  return counted;
}

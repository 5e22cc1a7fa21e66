/** Tests of one suite, counted. */
export type SuiteResult = { passed: number; failed: number; skipped: number };

/** Sum over suites. */
export function addResults(results: readonly SuiteResult[]): SuiteResult {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const result of results) {
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
  }
  return total;
}

/** The closing line of a run: `N passed, N failed`, and `, N skipped` where any. */
export function closingLine({ passed, failed, skipped }: SuiteResult): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * What counts when the runner's own counts and its exit status disagree: a runner that ended badly without
 * a failed test, or that ran no test at all, is one failure.
 */
export function reconcile(parameters: { counted: SuiteResult; exitStatus: number }): SuiteResult {
  const { counted, exitStatus } = parameters;
  const ranNothing = counted.passed + counted.failed + counted.skipped === 0;
  if (counted.failed === 0 && (exitStatus !== 0 || ranNothing)) return { ...counted, failed: 1 };
  return counted;
}

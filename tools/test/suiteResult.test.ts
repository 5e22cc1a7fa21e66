import { describe, expect, it } from "vitest";
import { addResults, closingLine, reconcile } from "./suiteResult.ts";

describe("closingLine", () => {
  it("names skipped tests only where there are any", () => {
    expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
    expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
  });
});

describe("reconcile", () => {
  const clean = { passed: 4, failed: 0, skipped: 0, failures: [] };

  it("keeps the counts of a runner that ended well", () => {
    expect(reconcile({ counted: clean, exitStatus: 0 })).toEqual(clean);
  });

  it("counts a failure for a runner that ended badly without naming one", () => {
    expect(reconcile({ counted: clean, exitStatus: 7 })).toMatchObject({
      failed: 1,
      failures: ["it ended with status 7"],
    });
  });

  it("counts a failure for a runner that ran nothing", () => {
    expect(reconcile({ counted: { ...clean, passed: 0 }, exitStatus: 0 })).toMatchObject({
      failed: 1,
      failures: ["it ran no test"],
    });
  });

  it("does not count a named failure twice", () => {
    const counted = { ...clean, failed: 2, failures: ["a", "b"] };
    expect(reconcile({ counted, exitStatus: 1 })).toEqual(counted);
  });
});

describe("addResults", () => {
  it("adds each count", () => {
    expect(
      addResults([
        { passed: 1, failed: 2, skipped: 3 },
        { passed: 10, failed: 20, skipped: 30 },
      ]),
    ).toEqual({ passed: 11, failed: 22, skipped: 33 });
  });
});

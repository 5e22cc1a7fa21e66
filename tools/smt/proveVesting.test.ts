import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const hasZ3 = spawnSync("z3", ["--version"]).status === 0;

it.skipIf(!hasZ3)("npm run verify:vesting proves the formula for all schedules and times", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, "cli.ts")],
    { encoding: "utf8" },
  );
  expect(stderr).toBe("");
  expect(stdout).toBe("7 asserts proved for all schedules and times, 1 false one refuted\n");
  expect(status).toBe(0);
});

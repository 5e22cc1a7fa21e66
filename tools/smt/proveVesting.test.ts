import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { proveVesting } from "./proveVesting.ts";

const hasZ3 = spawnSync("z3", ["--version"]).status === 0;

it.skipIf(!hasZ3)("the vesting formula is proved for all schedules and times", () => {
  expect(proveVesting()).toBe(7);
});

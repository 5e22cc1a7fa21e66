import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { PROJECT_ROOT } from "./projectRoot.ts";

/** Every command that is made by `createProgram`, as its user starts it. */
const COMMANDS = [
  ...["deploy", "deploy/check", "verify", "governance"],
  ...["vesting", "airdrop", "models", "tee"],
];

it.each(COMMANDS)("scripts/%s/cli.ts --help is printed within 80 columns", async (name) => {
  const cli = join(PROJECT_ROOT, "scripts", name, "cli.ts");
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [cli, "--help"]);
  expect(stderr).toBe("");
  expect(stdout).toContain("Usage: npm run ");
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

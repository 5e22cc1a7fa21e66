import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "haca-moved-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const contract = (name: string): string =>
  `// SPDX-License-Identifier: MIT\npragma solidity ^0.8.30;\ncontract ${name} {}\n`;

/** A small project with this one's configuration. */
function makeProject(root: string): void {
  for (const path of ["hardhat.config.ts", "tools/hardhat", "package.json"]) {
    cpSync(join(PROJECT_ROOT, path), join(root, path), { recursive: true });
  }
  symlinkSync(join(PROJECT_ROOT, "node_modules"), join(root, "node_modules"));
  mkdirSync(join(root, "contracts"));
  mkdirSync(join(root, "test", "contracts"), { recursive: true });
  writeFileSync(join(root, "contracts", "One.sol"), contract("One"));
  writeFileSync(join(root, "contracts", "Two.sol"), contract("Two"));
}

/** What Hardhat says of a build. */
function build(root: string): string {
  const hardhat = join("node_modules", "hardhat", "dist", "src", "cli.js");
  const child = spawnSync(process.execPath, [hardhat, "build"], { cwd: root, encoding: "utf8" });
  expect(child.status, child.stdout + child.stderr).toBe(0);
  return child.stdout;
}

it("a moved project compiles nothing, and then only what has changed", () => {
  const [first, second] = [join(folder, "first"), join(folder, "second")];
  mkdirSync(first);
  makeProject(first);
  expect(build(first)).toContain("Compiled");
  expect(build(first)).not.toContain("Compiled");

  renameSync(first, second);
  expect(build(second)).not.toContain("Compiled");
  writeFileSync(join(second, "contracts", "Two.sol"), contract("Changed"));
  expect(build(second)).toMatch(/Compiled 1 /);
  expect(build(second)).not.toContain("Compiled");

  // Back where it was at first.
  renameSync(second, first);
  expect(build(first)).not.toContain("Compiled");
});

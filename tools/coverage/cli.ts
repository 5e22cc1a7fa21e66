/** `npm run coverage`: line and branch coverage of `contracts/` by the Solidity and TypeScript tests. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

import { formatTable } from "../../scripts/lib/table.ts";
import { ifBranches } from "./ifBranches.ts";
import { lineHits } from "./lineHits.ts";

const MINIMUM_LINES = 95;
const FOLDER = "contracts/";
const HARDHAT = join(PROJECT_ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");
const REPORT = join(PROJECT_ROOT, "coverage", "lcov.info");

function hardhat(...rest: string[]): { status: number | null; output: string } {
  const child = spawnSync(process.execPath, [HARDHAT, ...rest], {
    cwd: PROJECT_ROOT,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { status: child.status, output: `${child.stdout}${child.stderr}` };
}

/** Syntax trees of the sources in `contracts/`, by path, from the build of the code as it is deployed. */
function syntaxTrees(): Map<string, unknown> {
  const folder = join(PROJECT_ROOT, "artifacts", "build-info");
  const trees = new Map<string, unknown>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".output.json"))) {
    const { output } = JSON.parse(readFileSync(join(folder, file), "utf8"));
    for (const [name, { ast }] of Object.entries<{ ast: unknown }>(output.sources)) {
      const path = name.replace(/^project\//, "");
      if (path.startsWith(FOLDER)) trees.set(path, ast);
    }
  }
  return trees;
}

const share = (hit: number, all: number): string =>
  all === 0 ? "-" : ((100 * hit) / all).toFixed(2);

function coverage(): void {
  rmSync(REPORT, { force: true });
  console.log("running the contract tests on instrumented code (minutes) …");
  const run = hardhat("test", "--coverage");
  // The instrumented artifacts must not stay behind.
  const build = hardhat("build");
  if (run.status !== 0 || build.status !== 0) {
    console.log(run.status === 0 ? build.output : run.output);
    throw new BaseError({ code: "coverage.testsFailed", message: "the tests failed" });
  }

  const trees = syntaxTrees();
  const total = { lines: 0, linesHit: 0, branches: 0, branchesHit: 0 };
  const rows: string[][] = [];
  const reported = [...lineHits({ lcov: readFileSync(REPORT, "utf8") })].sort();
  for (const [path, lines] of reported.filter(([name]) => name.startsWith(FOLDER))) {
    const source = readFileSync(join(PROJECT_ROOT, path), "utf8");
    const ways = ifBranches({ ast: trees.get(path), source })
      .flatMap(({ taken, passed }) => [taken, passed])
      .filter((line) => line !== undefined);
    const branchesHit = ways.filter((line) => lines.get(line) !== false).length;
    const missed = [...lines].filter(([, isHit]) => !isHit).map(([line]) => line);
    total.lines += lines.size;
    total.linesHit += lines.size - missed.length;
    total.branches += ways.length;
    total.branchesHit += branchesHit;
    rows.push([
      path,
      share(lines.size - missed.length, lines.size),
      share(branchesHit, ways.length),
      missed.sort((a, b) => a - b).join(", "),
    ]);
  }
  rows.push([
    "all",
    share(total.linesHit, total.lines),
    share(total.branchesHit, total.branches),
    "",
  ]);
  console.log(formatTable({ columns: ["file", "lines %", "branches %", "uncovered lines"], rows }));
  console.log(
    "\nA line counts as run only if all of it ran. Branches are the two ways through each `if`, derived from\n" +
      "lines and the syntax tree, because Hardhat reports none; ways that lines cannot tell apart, conditional\n" +
      "expressions and Yul are not counted.",
  );
  if (100 * total.linesHit < MINIMUM_LINES * total.lines) {
    throw new BaseError({
      code: "coverage.tooLow",
      message: `line coverage is below ${MINIMUM_LINES} %`,
    });
  }
}

await runProgram(
  createProgram({
    name: "coverage",
    summary: "Line and branch coverage of contracts/ by the Solidity and TypeScript tests.",
  }).action(coverage),
);

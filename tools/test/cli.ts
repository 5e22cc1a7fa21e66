/** `npm test`: runs every suite, one after another, and ends with one line over all of them. */
import { spawnSync } from "node:child_process";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { formatTable } from "../../scripts/lib/table.ts";
import { runSuite } from "./runSuite.ts";
import { addResults, closingLine } from "./suiteResult.ts";
import { SUITES } from "./suites.ts";

const names = SUITES.map(({ name }) => name).join(", ");

async function test(values: { only?: string }): Promise<void> {
  const suites = SUITES.filter(({ name }) => name.includes(values.only ?? ""));
  if (suites.length === 0) {
    throw new BaseError({
      code: "test.noSuite",
      message: `--only ${values.only}: no such suite; there are ${names}`,
    });
  }

  build();
  const results = [];
  for (const suite of suites) {
    console.log(`\n━━━ ${suite.name}`);
    const started = performance.now();
    const result = await runSuite(suite);
    results.push({ name: suite.name, result, seconds: (performance.now() - started) / 1000 });
  }

  const total = addResults(results.map(({ result }) => result));
  console.log(
    `\n${formatTable({
      columns: ["suite", "passed", "failed", "skipped", "time"],
      rows: results.map(({ name, result, seconds }) => [
        name,
        String(result.passed),
        String(result.failed),
        String(result.skipped),
        `${seconds.toFixed(1)} s`,
      ]),
    })}\n`,
  );
  console.log(closingLine(total));
  if (total.failed > 0) process.exitCode = 1;
}

/** Compiles the contracts and their tests, and generates the ABIs. Error: `test.buildFailed`. */
function build(): void {
  const { status } = spawnSync("npm", ["run", "--silent", "build:tests"], {
    cwd: PROJECT_ROOT,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status === 0) return;
  throw new BaseError({ code: "test.buildFailed", message: "the contracts do not compile" });
}

await runProgram(
  createProgram({
    name: "test",
    summary: `Runs the tests. npm run test:deep: the same suites with the long runs switched on. Suites: ${names}.`,
  })
    .option("--only <part>", "suites whose name has this in it")
    .action(test),
);

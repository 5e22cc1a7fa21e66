/** `npm test`: runs every suite, one after another, and ends with one line over all of them. */
import { parseArgs } from "node:util";
import { BaseError } from "@haca/protocol/baseError";
import { reportFailure } from "../lib/reportFailure.ts";
import { formatTable } from "../lib/table.ts";
import { runSuite } from "./runSuite.ts";
import { addResults, closingLine } from "./suiteResult.ts";
import { SUITES } from "./suites.ts";

const HELP = `Runs the tests.

usage: npm test [-- --only <part of a suite's name>]
       npm run test:deep      the same suites with the long runs switched on

suites: ${SUITES.map(({ name }) => name).join(", ")}`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: "string" }, help: { type: "boolean", default: false } },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const suites = SUITES.filter(({ name }) => name.includes(values.only ?? ""));
  if (suites.length === 0) {
    throw new BaseError({
      code: "test.noSuite",
      message: `--only ${values.only}: no such suite; there are ${SUITES.map(({ name }) => name).join(", ")}`,
    });
  }

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

main().catch(reportFailure);

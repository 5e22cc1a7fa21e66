/** `npm test`: runs every suite, in lanes where there are cores for them, and ends with one line over all of them. */
import { availableParallelism, totalmem } from "node:os";
import { BaseError } from "@haca/protocol/baseError";
import { createProgram, runProgram } from "../../scripts/lib/program.ts";
import { formatTable } from "../../scripts/lib/table.ts";
import { lanesOf } from "./lanes.ts";
import { SuiteRun } from "./runSuites.ts";
import { addResults, closingLine } from "./suiteResult.ts";
import { SUITES } from "./suites.ts";

const names = SUITES.map(({ name }) => name).join(", ");

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Exit status of a program that a signal stopped, as shells count it. */
const INTERRUPTED = 130;
let isInterrupted = false;

async function test(values: { only?: string; lanes?: string }): Promise<void> {
  const suites = SUITES.filter(({ name }) => name.includes(values.only ?? ""));
  if (suites.length === 0) {
    throw new BaseError({
      code: "test.noSuite",
      message: `--only ${values.only}: no such suite; there are ${names}`,
    });
  }
  const run = new SuiteRun({
    // One suite alone shows its output as it comes.
    lanes: Math.min(readLanes(values.lanes), suites.length),
    print: (text) => process.stdout.write(text),
  });
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      isInterrupted = true;
      void run.stop();
    });
  }

  const started = performance.now();
  try {
    const ended = await run.run(suites);
    const total = addResults(ended.map(({ result }) => result));
    console.log(
      `\n${formatTable({
        columns: ["suite", "passed", "failed", "skipped", "time"],
        rows: ended.map(({ name, result, seconds }) => [
          name,
          String(result.passed),
          String(result.failed),
          String(result.skipped),
          `${seconds.toFixed(1)} s`,
        ]),
      })}\n\nin ${((performance.now() - started) / 60_000).toFixed(1)} min`,
    );
    // A long run is read from its end: what failed stands there by name, whatever was printed before.
    for (const { name, result } of ended) {
      for (const failure of result.failures) console.log(`failed: ${name}: ${failure}`);
    }
    console.log(closingLine(total));
    if (total.failed > 0) process.exitCode = 1;
  } finally {
    await run.stop();
    for (const signal of STOP_SIGNALS) process.removeAllListeners(signal);
  }
}

/** How many suites run at the same time. Error: `test.lanes`. */
function readLanes(given: string | undefined): number {
  if (given === undefined) return lanesOf({ cores: availableParallelism(), memory: totalmem() });
  const lanes = Number(given);
  if (Number.isInteger(lanes) && lanes > 0 && lanes <= SUITES.length) return lanes;
  throw new BaseError({
    code: "test.lanes",
    message: `--lanes must be a number from 1 to ${SUITES.length}, is ${given}`,
  });
}

await runProgram(
  createProgram({
    name: "test",
    summary: `Runs the tests. npm run test:deep: the same suites with the long runs switched on. Suites: ${names}.`,
  })
    .option("--only <part>", "suites whose name has this in it")
    .option(
      "--lanes <n>",
      "how many suites run at the same time (default: by cores and memory, 3 at most); with more than one, a suite's output is shown when it has ended",
    )
    .action(test),
);
if (isInterrupted) process.exitCode = INTERRUPTED;

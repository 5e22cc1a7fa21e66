/** `npm run demo`: real inferences of a real model, proven, settled on a local chain and indexed. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { enterProject } from "../lib/enterProject.ts";
import { ProcessGroup } from "../lib/processGroup.ts";
import { createProgram, runProgram } from "../lib/program.ts";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import { reportFailure } from "../lib/reportFailure.ts";
import { checkOptions } from "./options.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Exit status of a program that a signal stopped, as shells count it. */
const INTERRUPTED = 130;

async function demo(values: Parameters<typeof checkOptions>[0]): Promise<void> {
  const options = checkOptions(values);
  enterProject();
  const { discardRun, runDemo } = await import("./runDemo.ts");
  // The demo has a chain of its own: it must not read or replace the address book of another.
  delete process.env.HACA_ADDRESS_BOOK;
  const runFolder = join(PROJECT_ROOT, "data", "demo", String(process.pid));
  mkdirSync(runFolder, { recursive: true });
  const group = new ProcessGroup({ logFolder: runFolder });
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of STOP_SIGNALS) process.once(signal, () => resolve("interrupted"));
  });

  try {
    const outcome = await Promise.race([runDemo({ options, group, runFolder }), interrupted]);
    if (outcome !== "interrupted" && options.keep) {
      console.log(`\nLeft running until Ctrl-C:
  chain              ${outcome.chain}
  inference node     ${outcome.worker}/v1/models
  worker's metrics   ${outcome.worker}/metrics
  indexer's GraphQL  ${outcome.indexer}/graphql
  logs               ${runFolder}`);
      await interrupted;
    } else if (outcome !== "interrupted") {
      console.log(
        "Next: npm run demo -- --keep to look around (GraphQL, inference node), README.md for the map,\n" +
          "docs/architecture.md for what was checked and by whom.",
      );
    }
    if (outcome === "interrupted") process.exitCode = INTERRUPTED;
    await group.stop();
    discardRun(runFolder);
  } catch (error) {
    reportFailure(error);
    await group.stop();
    console.error(`logs are kept in ${runFolder}`);
  }
  process.exit();
}

await runProgram(
  createProgram({
    name: "demo",
    summary: "Runs real inferences end to end on a local chain: answer, prove, settle, index.",
  })
    .option("--count <n>", "number of test images to send, 1 to 100", "10")
    .option(
      "--model <name>",
      "a folder under models/ with <name>.onnx, calibration.json and test.json",
      "digits",
    )
    .option(
      "--keep",
      "leave chain, worker and indexer running and print their addresses; Ctrl-C ends them",
      false,
    )
    .action(demo),
);

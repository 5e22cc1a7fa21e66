/** `npm run demo`: real inferences of a real model, proven, settled on a local chain and indexed. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Option } from "commander";
import { enterProject } from "../lib/enterProject.ts";
import { ProcessGroup } from "../lib/processGroup.ts";
import { createProgram, runProgram } from "../lib/program.ts";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import { reportFailure } from "../lib/reportFailure.ts";
import { checkOptions, storiesOf } from "./options.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const NEXT =
  "Next: npm run demo -- --keep to look around (GraphQL, inference node), README.md for the map,\n" +
  "docs/architecture.md for what was checked and by whom.";

/** Exit status of a program that a signal stopped, as shells count it. */
const INTERRUPTED = 130;

async function demo(values: Parameters<typeof checkOptions>[0]): Promise<void> {
  const options = checkOptions(values);
  const { localModelFolder } = await import("@haca/gateway/settings/readGatewayConfig");
  const modelFolder = localModelFolder(process.env);
  const stories = storiesOf({ chat: options.chat, modelFolder });
  enterProject();
  const { discardRun, runDemo } = await import("./runDemo.ts");
  const { runChat } = await import("./chat/runChat.ts");
  // The demo has a chain of its own: it must not read or replace the address book of another.
  delete process.env.HACA_ADDRESS_BOOK;
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of STOP_SIGNALS) process.once(signal, () => resolve("interrupted"));
  });

  /** Tells a story with processes and a folder of its own, and then does what it returned. Returns whether it got there. */
  const tell = async (
    name: string,
    story: (parts: { group: ProcessGroup; runFolder: string }) => Promise<() => Promise<void>>,
  ): Promise<boolean> => {
    const runFolder = join(PROJECT_ROOT, "data", "demo", `${process.pid}-${name}`);
    mkdirSync(runFolder, { recursive: true });
    const group = new ProcessGroup({ logFolder: runFolder });
    try {
      const outcome = await Promise.race([story({ group, runFolder }), interrupted]);
      if (outcome === "interrupted") process.exitCode = INTERRUPTED;
      else await outcome();
      await group.stop();
      discardRun(runFolder);
      return outcome !== "interrupted";
    } catch (error) {
      reportFailure(error);
      await group.stop();
      console.error(`logs are kept in ${runFolder}`);
      return false;
    }
  };
  if (stories.note !== undefined) console.log(stories.note);
  // The address book that stays is the longer story's.
  const isTold =
    !stories.chat ||
    (await tell("chat", async (parts) => {
      await runChat({ ...parts, modelFolder });
      return async () => {};
    }));
  if (isTold && stories.proofs) {
    await tell("proofs", async (parts) => {
      const urls = await runDemo({ options, ...parts });
      return async () => {
        if (!options.keep) return console.log(NEXT);
        console.log(`\nLeft running until Ctrl-C:
  chain              ${urls.chain}
  inference node     ${urls.worker}/v1/models
  worker's metrics   ${urls.worker}/metrics
  indexer's GraphQL  ${urls.indexer}/graphql
  logs               ${parts.runFolder}`);
        await interrupted;
      };
    });
  }
  process.exit();
}

await runProgram(
  createProgram({
    name: "demo",
    summary: "Runs real inferences end to end on a local chain: answer, prove, settle, index.",
  })
    .option("--count <n>", "number of test samples to send, 1 to 100", "10")
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
    .addOption(
      new Option(
        "--chat",
        "only chat: a language model whose answers are paid by x402, settled and captured, or refunded",
      )
        .default(false)
        .conflicts(["count", "model", "keep"]),
    )
    .action(demo),
);

/** The command: reads its words, and starts the indexer where they ask for nothing else. */
import { BaseError } from "@haca/protocol/baseError";
import { Command, CommanderError } from "commander";
import { settingsHelp } from "./variables.ts";

const HELP_COLUMNS = 80;

const program = new Command("npm run indexer --")
  .description(
    "Reads the contracts' events into tables and serves them over HTTP until it is stopped.",
  )
  .helpOption("-h, --help", "this text")
  .addHelpText("after", `\nSettings: environment variables [default]\n${settingsHelp()}`)
  .configureOutput({ getOutHelpWidth: () => HELP_COLUMNS, getErrHelpWidth: () => HELP_COLUMNS })
  .showHelpAfterError("(npm run indexer -- --help shows the settings)")
  .allowExcessArguments(false)
  .exitOverride()
  // What needs a build is loaded only now: help does not.
  .action(async () => (await import("./start.ts")).start());

await program.parseAsync().catch((error: unknown) => {
  // Commander has printed its own line.
  if (error instanceof CommanderError) process.exit(error.exitCode);
  const message = error instanceof Error ? error.message : String(error);
  const line = message.split("\n").find((text) => text.trim() !== "") ?? "unknown failure";
  const suffix = error instanceof BaseError ? "" : " [unexpected; HACA_DEBUG=1 shows where]";
  console.error(`error: ${line.trim()}${suffix}`);
  if (process.env.HACA_DEBUG === "1") console.error(error);
  process.exit(1);
});

import { refuseOldNames } from "@haca/protocol/settings";
import { Command, CommanderError, Option } from "commander";
import { reportFailure } from "./reportFailure.ts";

const HELP_COLUMNS = 80;
/** Descriptions are wrapped beside long verbs, too. */
const MINIMUM_WRAP = 20;

/**
 * The command line of one `npm run` command. Each verb declares its own options, so that one which a verb does
 * not know is refused; help fits 80 columns.
 */
export function createProgram(parameters: { name: string; summary: string }): Command {
  return new Command(`npm run ${parameters.name} --`)
    .description(parameters.summary)
    .helpCommand(false)
    .configureHelp({ minWidthToWrap: MINIMUM_WRAP })
    .helpOption("-h, --help", "this text; after a verb, that verb's")
    .configureOutput({
      getOutHelpWidth: () => HELP_COLUMNS,
      getErrHelpWidth: () => HELP_COLUMNS,
    })
    .showHelpAfterError(`(npm run ${parameters.name} -- --help shows all commands)`)
    .exitOverride();
}

/** Options of a verb that only reads a chain. */
export function withChain(command: Command): Command {
  return command.addOption(
    new Option("--network <name>", "a network of hardhat.config.ts").default("localhost"),
  );
}

/** Options of a verb that signs. */
export function withAccount(command: Command): Command {
  return withChain(command).addOption(
    new Option("--account <number>", "which of the network's accounts signs").default("0"),
  );
}

/** Options of a verb that asks before it sends a transaction. */
export function withSending(command: Command): Command {
  return withAccount(command).option(
    "--yes",
    "do not ask before sending (a local chain never asks)",
  );
}

/** Options of a verb whose sender may be a Safe: `SenderOptions`. */
export function withSafe(command: Command): Command {
  return withSending(command)
    .option("--safe <file>", "write it for a Safe's transaction builder, send nothing")
    .option("--as <address>", "the Safe that will send it; with --safe");
}

/**
 * Runs the verb that the command line names; without one, prints the help. Every failure is one line on standard
 * error and exit status 1. A setting under a name that is no longer read is one, whatever the verb reads.
 */
export async function runProgram(
  program: Command,
  commandLine: readonly string[] = process.argv.slice(2),
): Promise<void> {
  if (commandLine.length === 0 && program.commands.length > 0) {
    program.outputHelp();
    return;
  }
  program.hook("preAction", () => refuseOldNames(process.env));
  try {
    await program.parseAsync(commandLine, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) reportFailure(error);
    // Commander has printed its own line.
    else if (error.exitCode !== 0) process.exitCode = 1;
  }
}

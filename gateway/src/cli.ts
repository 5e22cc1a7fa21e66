#!/usr/bin/env node
import { BaseError } from "@haca/protocol/baseError";
import { refuseOldNames } from "@haca/protocol/settings";
import { Command } from "commander";
import { ConfigurationError } from "./gatewayError.ts";
import { settingsHelp } from "./settings/settingsHelp.ts";

const HELP_COLUMNS = 80;

/** One line, whatever it is; what nobody foresaw is shown whole to who asks for it. */
function fail(error: unknown): void {
  const isKnown = error instanceof BaseError;
  const hint = isKnown ? "" : " [unexpected; HACA_DEBUG=1 shows where]";
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message.replaceAll(/\s+/g, " ")}${hint}\n`);
  if (!isKnown && process.env.HACA_DEBUG === "1") console.error(error);
  process.exitCode = error instanceof ConfigurationError ? 2 : 1;
}

async function readConfig() {
  refuseOldNames(process.env);
  const { readGatewayConfig } = await import("./settings/readGatewayConfig.ts");
  return readGatewayConfig(process.env);
}

async function start(): Promise<void> {
  const config = await readConfig();
  const { createLogger } = await import("./logger.ts");
  const { startGateway } = await import("./startGateway.ts");
  const logger = createLogger({ level: config.logLevel });
  const gateway = await startGateway({ config, logger });
  await new Promise<void>((resolve) => {
    let count = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      count += 1;
      if (count > 1) process.exit(1);
      logger.info({ signal }, "stopping: finishing what is in flight; again to stop at once");
      resolve();
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
  await gateway.stop();
  logger.info("stopped");
}

async function check(): Promise<void> {
  const config = await readConfig();
  const { checkGateway } = await import("./checkGateway.ts");
  const { isGood, lines } = await checkGateway(config);
  process.stdout.write(`${lines.join("\n")}\n`);
  if (!isGood) process.exitCode = 1;
}

async function fetchModel(): Promise<void> {
  refuseOldNames(process.env);
  const { localModelFolder } = await import("./settings/readGatewayConfig.ts");
  const { fetchLocalModel } = await import("./localModel/fetchLocalModel.ts");
  const folder = localModelFolder(process.env);
  await fetchLocalModel({ folder, say: (line) => void process.stdout.write(`${line}\n`) });
}

const program = new Command("npm run gateway --")
  .description("OpenAI-compatible endpoint whose answers an enclave signs")
  .helpCommand(false)
  .helpOption("-h, --help", "this text")
  .addHelpText("after", `\nSettings: environment variables [default]\n${settingsHelp()}`)
  .configureOutput({ getOutHelpWidth: () => HELP_COLUMNS, getErrHelpWidth: () => HELP_COLUMNS })
  .showHelpAfterError("(npm run gateway -- --help shows commands and settings)")
  .exitOverride((exit) => {
    process.exit(exit.exitCode === 0 ? 0 : 2);
  });
program
  .command("start")
  .description("answer until it is stopped")
  .allowExcessArguments(false)
  .action(start);
program
  .command("check")
  .description("whether settings, upstream and queue are as they should be; asks no model")
  .allowExcessArguments(false)
  .action(check);
program
  .command("local-model")
  .description("fetch a small model that answers in this process, without any account")
  .allowExcessArguments(false)
  .action(fetchModel);
try {
  if (process.argv.length === 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  fail(error);
}

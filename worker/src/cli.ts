#!/usr/bin/env node
import { refuseOldNames } from "@haca/protocol/settings";
import { USER_FOLDER } from "@haca/protocol/userPath";
import { Command, Option } from "commander";
import { readSettings, settingsHelp } from "./config/commandLine.ts";
import { ROLES, readQueueConfig, type Settings } from "./config/readConfig.ts";
import { flagOf, VARIABLES, type VariableName } from "./config/variables.ts";
import { failureOf } from "./errors.ts";
import { createLogger } from "./logger.ts";
import { prepareRoles } from "./start/prepareRoles.ts";

const names = Object.keys(VARIABLES) as VariableName[];

async function run(roles: readonly string[], settings: Settings): Promise<void> {
  const { start, logLevel } = prepareRoles(roles, settings);
  const logger = createLogger({ level: logLevel });
  const starting = new AbortController();
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    let signals = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      signals += 1;
      if (signals > 1) {
        logger.warn({ signal }, "stopping at once");
        process.exit(1);
      }
      logger.info({ signal }, "stopping: finishing what is in flight; again to stop at once");
      starting.abort();
      resolve(signal);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
  try {
    const worker = await start({ logger, signal: starting.signal });
    await stopped;
    await worker.stop();
    logger.info("stopped");
  } catch (error) {
    if (!starting.signal.aborted) throw error;
  }
}

function fail(error: unknown): void {
  const { isKnown, line, status } = failureOf(error);
  process.stderr.write(`${line}\n`);
  if (!isKnown && process.env.HACA_DEBUG === "1") console.error(error);
  process.exitCode = status;
}

const commandLine = process.argv.slice(2);
const program = new Command("npm run worker --")
  .description("Inference node, prover and settlement over one durable queue")
  .usage("<roles...> [options]")
  .argument(
    "<roles...>",
    `one or more of ${ROLES.join(", ")}; or watch and validate, one or both; or heartbeat, facilitate or data-node, alone; or status, which prints the queue`,
  )
  .configureOutput({ getOutHelpWidth: () => 80, getErrHelpWidth: () => 80 })
  .addHelpText("after", () => settingsHelp(commandLine))
  .showHelpAfterError("(--help shows all settings; <role> --help those of a role)")
  .helpOption("-h, --help", "this text; after roles, with their settings only")
  .exitOverride((exit) => {
    process.exit(exit.exitCode === 0 ? 0 : 2);
  })
  .action(async (roles: string[], options: Record<string, unknown>) => {
    refuseOldNames(process.env);
    const settings = readSettings({
      roles,
      options,
      environment: process.env,
      folder: USER_FOLDER,
    });
    if (roles.length === 1 && roles[0] === "status") {
      const { status } = await import("./status.ts");
      process.stdout.write(`${await status({ config: readQueueConfig(settings) })}\n`);
      return;
    }
    await run(roles, settings);
  });
for (const name of names) {
  const { secret } = VARIABLES[name];
  if (secret !== true) program.addOption(new Option(`${flagOf(name)} <value>`).hideHelp());
}
await program.parseAsync().catch(fail);

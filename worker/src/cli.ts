#!/usr/bin/env node
import { BaseError } from "@haca/protocol/baseError";
import { refuseOldNames } from "@haca/protocol/settings";
import { Command, Option, type OptionValues } from "commander";
import type { Logger } from "pino";
import { ROLES, readConfig, readQueueConfig, type Settings } from "./config/readConfig.ts";
import { flagOf, VARIABLES, type VariableName } from "./config/variables.ts";
import { ConfigurationError, describeError } from "./errors.ts";
import { readHeartbeatConfig } from "./heartbeat/readHeartbeatConfig.ts";
import { startHeartbeat } from "./heartbeat/startHeartbeat.ts";
import { createLogger } from "./logger.ts";
import { type RunningWorker, startWorker } from "./start/startWorker.ts";
import { status } from "./status.ts";

const names = Object.keys(VARIABLES) as VariableName[];

/** Flags go before environment variables. */
function settingsOf(options: OptionValues): Settings {
  const settings: { [Name in VariableName]?: string | undefined } = {};
  for (const name of names) {
    const flag = flagOf(name)
      .slice(2)
      .replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const given: unknown = options[flag];
    settings[name] = typeof given === "string" ? given : process.env[name];
  }
  return settings;
}

function helpText(): string {
  const lines = names.map((name) => {
    const { default: standard, help, secret } = VARIABLES[name];
    const flag = secret === true ? "environment only" : flagOf(name);
    const suffix = standard === undefined ? "" : ` [${standard}]`;
    return `  ${name.padEnd(22)} ${flag.padEnd(22)} ${help}${suffix}`;
  });
  return `\nSettings: environment variable, flag, meaning [default]\n${lines.join("\n")}\n`;
}

type Start = (parameters: { logger: Logger; signal: AbortSignal }) => Promise<RunningWorker>;

function prepare(
  roles: readonly string[],
  options: OptionValues,
): { start: Start; logLevel: string } {
  refuseOldNames(process.env);
  const settings = settingsOf(options);
  if (roles.length === 1 && roles[0] === "heartbeat") {
    const config = readHeartbeatConfig(settings);
    return { start: (parts) => startHeartbeat({ config, ...parts }), logLevel: config.logLevel };
  }
  const config = readConfig({ roles, settings });
  return { start: (parts) => startWorker({ config, ...parts }), logLevel: config.logLevel };
}

async function run(roles: readonly string[], options: OptionValues): Promise<void> {
  const { start, logLevel } = prepare(roles, options);
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
  const known = error instanceof BaseError;
  process.stderr.write(`${known ? describeError(error) : (error as Error).stack}\n`);
  process.exitCode = error instanceof ConfigurationError ? 2 : 1;
}

const program = new Command("haca-worker")
  .description("Inference node, prover and settler over one durable queue")
  .argument(
    "<roles...>",
    `one or more of ${ROLES.join(", ")}; or heartbeat, alone; or status, which prints the queue`,
  )
  .addHelpText("after", helpText())
  .helpOption("-h, --help", "this text")
  .exitOverride((exit) => {
    process.exit(exit.exitCode === 0 ? 0 : 2);
  })
  .action(async (roles: string[], options: OptionValues) => {
    if (roles.length === 1 && roles[0] === "status") {
      process.stdout.write(`${await status({ config: readQueueConfig(settingsOf(options)) })}\n`);
      return;
    }
    await run(roles, options);
  });
for (const name of names) {
  const { secret } = VARIABLES[name];
  if (secret !== true) program.addOption(new Option(`${flagOf(name)} <value>`).hideHelp());
}
await program.parseAsync().catch(fail);

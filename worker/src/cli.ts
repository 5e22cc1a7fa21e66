#!/usr/bin/env node
import { BaseError } from "@haca/protocol/baseError";
import { refuseOldNames } from "@haca/protocol/settings";
import { USER_FOLDER } from "@haca/protocol/userPath";
import { Command, Option } from "commander";
import type { Logger } from "pino";
import { readSettings, settingsHelp } from "./config/commandLine.ts";
import { ROLES, readConfig, readQueueConfig, type Settings } from "./config/readConfig.ts";
import { flagOf, VARIABLES, type VariableName } from "./config/variables.ts";
import { ConfigurationError, describeError } from "./errors.ts";
import { createLogger } from "./logger.ts";
import { readDataNodeConfig } from "./roles/dataNode/readDataNodeConfig.ts";
import { readFacilitatorConfig } from "./roles/facilitate/readFacilitatorConfig.ts";
import { readHeartbeatConfig } from "./roles/heartbeat/readHeartbeatConfig.ts";
import { readWatchConfig } from "./roles/watch/readWatchConfig.ts";
import type { RunningWorker } from "./start/startWorker.ts";

const names = Object.keys(VARIABLES) as VariableName[];

type Start = (parameters: { logger: Logger; signal: AbortSignal }) => Promise<RunningWorker>;

/** Reads the configuration; what needs the built contracts is loaded after that, so that help never does. */
function prepare(roles: readonly string[], settings: Settings): { start: Start; logLevel: string } {
  if (roles.length === 1 && roles[0] === "heartbeat") {
    const config = readHeartbeatConfig(settings);
    return {
      logLevel: config.logLevel,
      async start(parts) {
        const { startHeartbeat } = await import("./start/startHeartbeat.ts");
        return await startHeartbeat({ config, ...parts });
      },
    };
  }
  if (roles.length === 1 && roles[0] === "facilitate") {
    const config = readFacilitatorConfig(settings);
    return {
      logLevel: config.logLevel,
      async start(parts) {
        const { startFacilitator } = await import("./start/startFacilitator.ts");
        return await startFacilitator({ config, ...parts });
      },
    };
  }
  const watching = (["watch", "validate"] as const).filter((role) => roles.includes(role));
  if (watching.length > 0 && watching.length === roles.length) {
    const config = readWatchConfig({ roles: watching, settings });
    return {
      logLevel: config.logLevel,
      async start(parts) {
        const { startWatcher } = await import("./start/startWatcher.ts");
        return await startWatcher({ config, ...parts });
      },
    };
  }
  if (roles.length === 1 && roles[0] === "data-node") {
    const config = readDataNodeConfig(settings);
    return {
      logLevel: config.logLevel,
      async start(parts) {
        const { startDataNode } = await import("./start/startDataNode.ts");
        return await startDataNode({ config, ...parts });
      },
    };
  }
  const config = readConfig({ roles, settings });
  return {
    logLevel: config.logLevel,
    async start(parts) {
      const { startWorker } = await import("./start/startWorker.ts");
      return await startWorker({ config, ...parts });
    },
  };
}

async function run(roles: readonly string[], settings: Settings): Promise<void> {
  const { start, logLevel } = prepare(roles, settings);
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

/** One line, whatever it is; what nobody foresaw is shown whole to who asks for it. */
function fail(error: unknown): void {
  const isKnown = error instanceof BaseError;
  const hint = isKnown ? "" : " [unexpected; HACA_DEBUG=1 shows where]";
  process.stderr.write(`${describeError(error)}${hint}\n`);
  if (!isKnown && process.env.HACA_DEBUG === "1") console.error(error);
  process.exitCode = error instanceof ConfigurationError ? 2 : 1;
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

/**
 * Starts the indexer: checks the settings, the address book and the chain, then runs Ponder in this very
 * process, so that signals reach it and nothing can outlive it. Exits with 1 and one line on bad settings.
 */
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { checkDeployment } from "./checkDeployment.ts";
import { databaseSchemaName } from "./databaseSchemaName.ts";
import { readSettings, type Settings } from "./readSettings.ts";
import { requireFreePort } from "./requireFreePort.ts";
import { stopOnSigterm } from "./stopOnSigterm.ts";

try {
  const settings = readSettings(process.env);
  const book = readBook(settings.deployment);
  const { rpcUrl, chainId, deployment: path, host, port } = settings;
  const creationBlock = await checkDeployment({ rpcUrl, chainId, path, book });
  await requireFreePort({ host, port });
  await runPonder({ settings, databaseSchema: databaseSchemaName({ book, creationBlock }) });
} catch (error) {
  if (!(error instanceof BaseError)) {
    throw error;
  }
  console.error(`error: ${error.message}`);
  process.exit(1);
}

function readBook(path: string) {
  try {
    return readAddressBook(path);
  } catch (cause) {
    if (!(cause instanceof BaseError)) {
      throw cause;
    }
    throw new BaseError({ code: cause.code, message: `HACA_DEPLOYMENT: ${cause.message}`, cause });
  }
}

/** Ponder's command line is its only public entry point, so it is given arguments and imported. */
async function runPonder(parameters: {
  settings: Settings;
  databaseSchema: string;
}): Promise<void> {
  const { settings, databaseSchema } = parameters;
  Object.assign(process.env, {
    DATABASE_SCHEMA: databaseSchema,
    PONDER_TELEMETRY_DISABLED: "true",
    // What ponder.config.ts reads: as checked here, whatever the working directory or an env file says.
    HACA_CHAIN_ID: String(settings.chainId),
    HACA_DEPLOYMENT: settings.deployment,
    HACA_RPC_URL: settings.rpcUrl,
    HACA_DATABASE_URL: settings.databaseUrl ?? "",
    HACA_INDEXER_DATA_DIR: settings.dataDirectory,
  });
  // Ponder would prefer it to the argument.
  delete process.env.PORT;
  // Ponder looks for the app, and writes what it generates, in the working directory.
  process.chdir(join(import.meta.dirname, ".."));
  const command = join(fileURLToPath(import.meta.resolve("ponder")), "..", "bin", "ponder.js");
  process.argv = [
    process.execPath,
    command,
    "start",
    ...["--hostname", settings.host],
    ...["--port", String(settings.port)],
    ...["--log-level", settings.logLevel],
    ...["--log-format", settings.logFormat],
  ];
  stopOnSigterm();
  await import(pathToFileURL(command).href);
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type AddressBook, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { checkDeployment } from "./checkDeployment.ts";
import { databaseSchemaName } from "./databaseSchemaName.ts";
import { lockTables, requireFreePort } from "./exclusive.ts";
import { readSettings, type Settings } from "./readSettings.ts";

/**
 * Checks the settings, the address book and the chain, then runs Ponder in this very process, so that signals reach it
 * and nothing can outlive it. @throws BaseError, one line that says what to change
 */
export async function start(): Promise<void> {
  const settings = readSettings(process.env);
  requireBuild();
  const book = readBook(settings.addressBook);
  const { rpcUrl, chainId, addressBook: path, host, port } = settings;
  const creationBlock = await checkDeployment({ rpcUrl, chainId, path, book });
  const databaseSchema = databaseSchemaName({ book, creationBlock });
  if (settings.databaseUrl === undefined) {
    lockTables({ folder: settings.dataDirectory, databaseSchema });
  }
  await requireFreePort({ host, port });
  await runPonder({ settings, databaseSchema });
}

function requireBuild(): void {
  if (existsSync(fileURLToPath(import.meta.resolve("@haca/protocol/abi")))) return;
  throw new BaseError({
    code: "build.missing",
    message: "the contracts are not built: npm run build",
  });
}

function readBook(path: string): AddressBook {
  try {
    return readAddressBook(path);
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    const message = `HACA_ADDRESS_BOOK: ${cause.message}`;
    throw new BaseError({ code: cause.code, message, cause });
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
    HACA_ADDRESS_BOOK: settings.addressBook,
    HACA_RPC_URL: settings.rpcUrl,
    HACA_BLOB_AGGREGATOR: settings.blobAggregator ?? "",
    HACA_INDEXER_DATABASE_URL: settings.databaseUrl ?? "",
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

/**
 * Makes SIGTERM stop the process as SIGINT does, from now on. Ponder embeds Vite, whose own SIGTERM listener ends
 * the process at once, before Ponder has released its lock on the tables: the next start would have to wait until
 * that lock has expired. So no other listener is let stay.
 */
function stopOnSigterm(): void {
  process.on("SIGTERM", () => process.kill(process.pid, "SIGINT"));
  process.on("newListener", (event, listener) => {
    if (event === "SIGTERM") {
      // The listener is added only after this call.
      queueMicrotask(() => process.off("SIGTERM", listener));
    }
  });
}

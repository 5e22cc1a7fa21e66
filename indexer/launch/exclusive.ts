import { createServer } from "node:http";
import { BaseError } from "@haca/protocol/baseError";
import { lockFolder } from "@haca/protocol/lockFolder";

/** What one process alone may have: its tables and its port. */

/**
 * Keeps a second process away from the embedded database of one schema until this one ends. Two of them on one folder
 * destroy it for good, and PGlite does not notice. @throws BaseError `database.locked`, `database.unusable`
 */
export function lockTables(parameters: { folder: string; databaseSchema: string }): void {
  const { folder, databaseSchema } = parameters;
  try {
    lockFolder({ folder, name: databaseSchema });
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    const isLocked = cause.code === "folder.locked";
    throw new BaseError({
      code: isLocked ? "database.locked" : "database.unusable",
      message: isLocked
        ? `HACA_INDEXER_DATA_DIR: ${databaseSchema} in ${folder} is ${cause.message}; stop it first, or set HACA_INDEXER_DATABASE_URL`
        : `HACA_INDEXER_DATA_DIR: ${cause.message}`,
      details: cause.details,
      cause,
    });
  }
}

/**
 * Throws `settings.portUnavailable` if nothing can listen there. Ponder would quietly take the next port,
 * and whoever asks this one would talk to another program.
 */
export async function requireFreePort(parameters: { host: string; port: number }): Promise<void> {
  const { host, port } = parameters;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(
        new BaseError({
          code: "settings.portUnavailable",
          message: `HACA_INDEXER_PORT: cannot listen on ${host}:${port} (${cause.code})`,
          cause,
        }),
      );
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

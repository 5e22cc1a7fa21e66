import { BaseError } from "@haca/protocol/baseError";
import { lockFolder } from "@haca/protocol/lockFolder";

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

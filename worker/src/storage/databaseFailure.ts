import { RetryableError } from "../errors.ts";

/** Classes of SQLSTATE that speak of the server, its disk or the connection, not of the statement. */
const CLASSES: readonly string[] = ["08", "53", "57", "58"];
/** What the driver says, without a code, of a connection that ended, never came or fell silent. */
const BROKEN =
  /^(Connection terminated|timeout e|Client has encountered|Query read timeout|Client was closed)/;

/** The store is away: nothing was decided, and the same will work later. */
export class DatabaseAwayError extends RetryableError {}

/** The same error, or a `DatabaseAwayError` where the error is of the store and not of the statement. */
export function databaseFailure(parameters: {
  error: unknown;
  /** variable that says where the store is */
  setting: "HACA_WORKER_DATABASE_URL" | "HACA_DATA_DIR";
}): unknown {
  const { error, setting } = parameters;
  if (!(error instanceof Error) || error instanceof DatabaseAwayError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const isSqlState = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code);
  const isAway = isSqlState
    ? CLASSES.includes(code.slice(0, 2))
    : setting === "HACA_WORKER_DATABASE_URL" &&
      (typeof code === "string" || BROKEN.test(error.message));
  if (!isAway) return error;
  return new DatabaseAwayError({
    code: "database.away",
    message: `${setting}: ${error.message === "" ? code : error.message}`,
    cause: error,
  });
}

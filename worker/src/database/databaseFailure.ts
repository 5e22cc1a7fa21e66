import { RetryableError } from "../errors.ts";

/** Classes of SQLSTATE that speak of the server or the connection, not of the statement. */
const CLASSES: readonly string[] = ["08", "53", "57", "58"];
/** What the driver says, without a code, of a connection that ended, never came or fell silent. */
const BROKEN =
  /^(Connection terminated|timeout e|Client has encountered|Query read timeout|Client was closed)/;

/** The store is away: nothing was decided, and the same will work later. */
export class DatabaseAwayError extends RetryableError {}

/** The same error, or a `DatabaseAwayError` where the server, not the statement, is at fault. */
export function databaseFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  const isSqlState = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code);
  const isAway = isSqlState
    ? CLASSES.includes(code.slice(0, 2))
    : typeof code === "string" || BROKEN.test(error.message);
  if (!isAway) return error;
  return new DatabaseAwayError({
    code: "database.away",
    message: `HACA_DATABASE_URL: ${error.message === "" ? code : error.message}`,
    cause: error,
  });
}

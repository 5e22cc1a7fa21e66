import { BaseError } from "./baseError.ts";

/** Names that settings had, with those they have now. */
const RENAMED: Readonly<Record<string, string>> = {
  HACA_DEPLOYMENT: "HACA_ADDRESS_BOOK",
  HACA_DATABASE_URL:
    "HACA_WORKER_DATABASE_URL for the worker's queue, HACA_INDEXER_DATABASE_URL for the indexer's tables",
};

/**
 * Refuses settings under names that are no longer read: a setting that is ignored without a word is worse than one that
 * is refused. An empty variable counts as absent.
 * @throws BaseError `settings.renamed` naming the new name
 */
export function refuseOldNames(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [old, current] of Object.entries(RENAMED)) {
    const value = environment[old];
    if (value === undefined || value === "") continue;
    throw new BaseError({
      code: "settings.renamed",
      message: `${old}: is no longer read; its name is now ${current}`,
      details: { old },
    });
  }
}

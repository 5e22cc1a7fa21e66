import { BaseError } from "./baseError.ts";

/** One setting: an environment variable. */
export type SettingHelp = {
  /** text that is read where the variable is not set; absent: no value */
  default?: string;
  help: string;
  /** never accepted as a flag: command lines are visible to every user of the machine */
  secret?: true;
};

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

/** Settings for a help text of 80 columns: name, flag, default and meaning of each. */
export function settingsHelp(parameters: {
  settings: Readonly<Record<string, SettingHelp>>;
  /** absent: settings come from the environment only */
  flagOf?: (name: string) => string;
}): string {
  const { settings, flagOf } = parameters;
  return Object.entries(settings)
    .flatMap(([name, { default: standard, help, secret }]) => {
      const flag = flagOf === undefined ? [] : [secret ? "environment only" : flagOf(name)];
      const suffix = standard === undefined ? [] : [`[${standard}]`];
      return [`  ${[name, ...flag, ...suffix].join("  ")}`, ...wrapped(help)];
    })
    .join("\n");
}

const HELP_COLUMNS = 80;
const INDENT = "      ";

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1) ?? INDENT} ${word}`;
    if (lines.length > 0 && longer.length <= HELP_COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(`${INDENT}${word}`);
  }
  return lines;
}

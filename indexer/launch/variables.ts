import { z } from "zod";

/** One setting: an environment variable. */
type Variable<Value> = {
  /** text that is read where the variable is not set; absent: no value */
  default?: string;
  help: string;
  /** parses the text of the variable */
  schema: z.ZodType<Value, string>;
};

const variable = <Value>(definition: Variable<Value>): Variable<Value> => definition;

const urlOf = (protocols: readonly string[], kind: string) =>
  z.string().refine((value) => protocols.includes(URL.parse(value)?.protocol ?? ""), {
    message: `must be a URL beginning with ${kind}`,
  });

/** Every setting of the indexer: environment variables. Those that the worker reads too mean the same there. */
export const VARIABLES = {
  HACA_CHAIN_ID: variable({
    schema: z
      .string()
      .regex(/^[1-9][0-9]{0,14}$/, "must be a positive integer")
      .transform(Number),
    default: "31337",
    help: "chain id; the endpoint must serve this chain",
  }),
  HACA_RPC_URL: variable({
    schema: urlOf(["http:", "https:"], "http:// or https://"),
    help: "JSON-RPC endpoint of the chain (default: http://127.0.0.1:8545 on chain 31337, none elsewhere)",
  }),
  HACA_ADDRESS_BOOK: variable({
    schema: z.string(),
    help: "address book of the deployment (default: deployments/<HACA_CHAIN_ID>.json)",
  }),
  HACA_BLOB_AGGREGATOR: variable({
    schema: urlOf(["http:", "https:"], "http:// or https://"),
    help: "URL above /v1/blobs/<id>, from which results of pages are read (default: they are not read)",
  }),
  HACA_INDEXER_DATABASE_URL: variable({
    schema: urlOf(
      ["postgres:", "postgresql:"],
      "postgres:// or postgresql:// (leave it empty for the embedded database)",
    ),
    help: "PostgreSQL instead of the embedded database",
  }),
  HACA_INDEXER_DATA_DIR: variable({
    schema: z.string(),
    help: "folder of the embedded database (default: data/indexer in the project)",
  }),
  HACA_INDEXER_HOST: variable({
    schema: z.string(),
    default: "127.0.0.1",
    help: "address on which the HTTP server listens",
  }),
  HACA_INDEXER_PORT: variable({
    schema: z
      .string()
      .regex(/^[0-9]+$/, "must be a port number")
      .transform(Number)
      .pipe(z.int().min(1, "must be 1 to 65535").max(65535, "must be 1 to 65535")),
    default: "42069",
    help: "port of the HTTP server; a taken port is an error",
  }),
  HACA_LOG_LEVEL: variable({
    schema: z.enum(
      ["error", "warn", "info", "debug", "trace"],
      "must be error, warn, info, debug or trace",
    ),
    default: "info",
    help: "trace, debug, info, warn or error",
  }),
  HACA_LOG_FORMAT: variable({
    schema: z.enum(["json", "pretty"], "must be json or pretty"),
    default: "json",
    help: "json or pretty",
  }),
};
export type VariableName = keyof typeof VARIABLES;

/** The settings for a help text of 80 columns: name, default and meaning of each. */
export const settingsHelp = (): string =>
  Object.entries<Variable<unknown>>(VARIABLES)
    .flatMap(([name, { default: standard, help }]) => [
      `  ${name}${standard === undefined ? "" : `  [${standard}]`}`,
      ...wrapped(help),
    ])
    .join("\n");

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

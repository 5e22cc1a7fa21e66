import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { addressBookPath } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";

const LOCAL_CHAIN_ID = 31337;
const LOCAL_RPC_URL = "http://127.0.0.1:8545";
// Ponder's module loader, which runs this file too, has no import.meta.dirname.
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const url = (protocols: readonly string[], kind: string) =>
  z.string().refine((value) => protocols.includes(URL.parse(value)?.protocol ?? ""), {
    message: `must be a URL beginning with ${kind}`,
  });

const environmentSchema = z.object({
  HACA_CHAIN_ID: z
    .string()
    .regex(/^[1-9][0-9]{0,14}$/, "must be a positive integer")
    .transform(Number)
    .default(LOCAL_CHAIN_ID),
  HACA_DEPLOYMENT: z.string().optional(),
  HACA_RPC_URL: url(["http:", "https:"], "http:// or https://").optional(),
  HACA_DATABASE_URL: url(
    ["postgres:", "postgresql:"],
    "postgres:// or postgresql:// (leave it empty for the embedded database)",
  ).optional(),
  HACA_INDEXER_DATA_DIR: z.string().default(join(ROOT, "data", "indexer")),
  HACA_INDEXER_HOST: z.string().default("127.0.0.1"),
  HACA_INDEXER_PORT: z
    .string()
    .regex(/^[0-9]+$/, "must be a port number")
    .transform(Number)
    .pipe(z.int().min(1, "must be 1 to 65535").max(65535, "must be 1 to 65535"))
    .default(42069),
  HACA_LOG_LEVEL: z
    .enum(["error", "warn", "info", "debug", "trace"], "must be error, warn, info, debug or trace")
    .default("info"),
  HACA_LOG_FORMAT: z.enum(["json", "pretty"], "must be json or pretty").default("json"),
});

/** What the indexer is told from outside. */
export type Settings = {
  chainId: number;
  /** path of the address book */
  deployment: string;
  rpcUrl: string;
  /** undefined: PGlite in `dataDirectory` */
  databaseUrl: string | undefined;
  dataDirectory: string;
  host: string;
  port: number;
  logLevel: "error" | "warn" | "info" | "debug" | "trace";
  logFormat: "json" | "pretty";
};

/**
 * Reads the settings from environment variables; an empty variable counts as absent.
 * Throws `settings.invalid` with a message that begins with the variable's name.
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(`${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { data } = parsed;
  const isLocal = data.HACA_CHAIN_ID === LOCAL_CHAIN_ID;
  const rpcUrl = data.HACA_RPC_URL ?? (isLocal ? LOCAL_RPC_URL : undefined);
  if (rpcUrl === undefined) {
    throw invalid(`HACA_RPC_URL: must be set for chain ${data.HACA_CHAIN_ID}`);
  }
  return {
    chainId: data.HACA_CHAIN_ID,
    deployment: resolve(data.HACA_DEPLOYMENT ?? addressBookPath(data.HACA_CHAIN_ID)),
    rpcUrl,
    databaseUrl: data.HACA_DATABASE_URL,
    dataDirectory: resolve(data.HACA_INDEXER_DATA_DIR),
    host: data.HACA_INDEXER_HOST,
    port: data.HACA_INDEXER_PORT,
    logLevel: data.HACA_LOG_LEVEL,
    logFormat: data.HACA_LOG_FORMAT,
  };
}

function invalid(message: string): BaseError {
  return new BaseError({ code: "settings.invalid", message });
}

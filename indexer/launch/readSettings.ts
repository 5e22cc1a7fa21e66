import { join } from "node:path";
import { addressBookPath } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { refuseOldNames } from "@haca/protocol/settings";
import { PROJECT_ROOT, userPath } from "@haca/protocol/userPath";
import type { z } from "zod";
import { VARIABLES, type VariableName } from "./variables.ts";

const LOCAL_CHAIN_ID = 31337;
const LOCAL_RPC_URL = "http://127.0.0.1:8545";

type Environment = Readonly<Record<string, string | undefined>>;
type Value<Name extends VariableName> = z.output<(typeof VARIABLES)[Name]["schema"]>;

/** What the indexer is told from outside. */
export type Settings = {
  chainId: number;
  /** path of the address book */
  addressBook: string;
  rpcUrl: string;
  /** where blobs are read; undefined: nowhere */
  blobAggregator: string | undefined;
  /** undefined: PGlite in `dataDirectory` */
  databaseUrl: string | undefined;
  dataDirectory: string;
  host: string;
  port: number;
  logLevel: Value<"HACA_LOG_LEVEL">;
  logFormat: Value<"HACA_LOG_FORMAT">;
};

/**
 * Reads the settings from environment variables; an empty variable counts as absent.
 * @throws BaseError `settings.invalid` or `settings.renamed`, with a message that begins with the variable's name
 */
export function readSettings(environment: Environment): Settings {
  refuseOldNames(environment);
  const chainId = required(environment, "HACA_CHAIN_ID");
  const localUrl = chainId === LOCAL_CHAIN_ID ? LOCAL_RPC_URL : undefined;
  const rpcUrl = optional(environment, "HACA_RPC_URL") ?? localUrl;
  if (rpcUrl === undefined) throw invalid(`HACA_RPC_URL: must be set for chain ${chainId}`);
  return {
    chainId,
    addressBook: userPath(optional(environment, "HACA_ADDRESS_BOOK") ?? addressBookPath(chainId)),
    rpcUrl,
    blobAggregator: optional(environment, "HACA_BLOB_AGGREGATOR"),
    databaseUrl: optional(environment, "HACA_INDEXER_DATABASE_URL"),
    dataDirectory: userPath(
      optional(environment, "HACA_INDEXER_DATA_DIR") ?? join(PROJECT_ROOT, "data", "indexer"),
    ),
    host: required(environment, "HACA_INDEXER_HOST"),
    port: required(environment, "HACA_INDEXER_PORT"),
    logLevel: required(environment, "HACA_LOG_LEVEL"),
    logFormat: required(environment, "HACA_LOG_FORMAT"),
  };
}

function optional<Name extends VariableName>(
  environment: Environment,
  name: Name,
): Value<Name> | undefined {
  const given = environment[name];
  const text = given === undefined || given === "" ? VARIABLES[name].default : given;
  if (text === undefined) return undefined;
  const parsed = VARIABLES[name].schema.safeParse(text);
  if (!parsed.success) throw invalid(`${name}: ${parsed.error.issues[0]?.message}`);
  return parsed.data as Value<Name>;
}

function required<Name extends VariableName>(environment: Environment, name: Name): Value<Name> {
  const value = optional(environment, name);
  if (value === undefined) throw invalid(`${name}: must be set`);
  return value;
}

function invalid(message: string): BaseError {
  return new BaseError({ code: "settings.invalid", message });
}

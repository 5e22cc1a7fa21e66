import { resolve } from "node:path";
import { addressBookPath } from "@haca/protocol/addressBook";
import type { z } from "zod";
import { ConfigurationError } from "../errors.ts";
import { VARIABLES, type VariableName } from "./variables.ts";

export const ROLES = ["infer", "prove", "collect", "settle"] as const;
export type Role = (typeof ROLES)[number];

type Value<Name extends VariableName> = z.output<(typeof VARIABLES)[Name]["schema"]>;

/** Where the queue lives: the settings that `status` needs too. */
export type QueueConfig = {
  dataDirectory: string;
  databaseUrl: string | undefined;
  databasePool: number;
  http: { host: string; port: number; bodyLimit: number };
};

export type Config = QueueConfig & {
  roles: readonly Role[];
  rpcUrl: string;
  rpcTimeoutMs: number;
  chainId: number;
  /** absent where no role needs it */
  nodeKey: string | undefined;
  addressBook: string;
  models: readonly string[];
  /** path of the native prover, `none`, or nothing set */
  prover: string | undefined;
  /** absent: by cores and memory */
  proveThreads: number | undefined;
  price: bigint;
  confirmations: number;
  reorgBlocks: number;
  pollMs: number;
  rebroadcastMs: number;
  replaceMs: number;
  /** wei per gas */
  maxFeePerGas: bigint;
  /** the same while a proof is demanded */
  urgentMaxFeePerGas: bigint;
  /** how many jobs share a transaction at most, and how long one waits for others */
  batch: { size: number; maxAgeMs: number };
  /** the same of a page; absent: no pages */
  page: { size: number; maxAgeMs: number } | undefined;
  /** names of models whose answers go into optimistic pages, and are proved on demand */
  optimisticModels: readonly string[];
  /** where pages are stored, those that were proposed too; absent where no store is named and there are none */
  blobs: BlobConfig | undefined;
  /** whose enclaves' results are taken in, checksummed; none: the node's own account's */
  operators: readonly string[];
  /** what whoever hands in results has to show; absent: whoever reaches the port may, which is this machine alone */
  collectSecret: string | undefined;
  /** of pages that may ask */
  origins: readonly string[];
  /** address of InferenceEscrow; undefined: the address book's, if it has one */
  escrow: string | undefined;
  /** how long what was counted for payment channels waits to be claimed */
  claimSeconds: number;
  modelRefreshMs: number;
  logLevel: Value<"HACA_LOG_LEVEL">;
};

/** Where contents are stored, and for how long. */
export type BlobConfig = {
  publisher: string;
  aggregator: string;
  epochs: number;
  timeoutMs: number;
  /** when a content is stored again, in seconds */
  renewSeconds: number;
};

/** Texts of the settings by variable name; an empty text counts as not set. */
export type Settings = Readonly<Partial<Record<VariableName, string | undefined>>>;

/** @throws ConfigurationError naming the variable */
export function optional<Name extends VariableName>(
  settings: Settings,
  name: Name,
): Value<Name> | undefined {
  const given = settings[name];
  const text = given === undefined || given === "" ? VARIABLES[name].default : given;
  if (text === undefined) return undefined;
  const parsed = VARIABLES[name].schema.safeParse(text);
  if (!parsed.success) {
    throw new ConfigurationError({
      code: "configuration.invalid",
      message: `${name}: ${parsed.error.issues[0]?.message}`,
    });
  }
  return parsed.data as Value<Name>;
}

/** @throws ConfigurationError naming the variable */
export function required<Name extends VariableName>(settings: Settings, name: Name): Value<Name> {
  const value = optional(settings, name);
  if (value === undefined) {
    throw new ConfigurationError({
      code: "configuration.missing",
      message: `${name}: not set (${VARIABLES[name].help})`,
    });
  }
  return value;
}

/** @throws ConfigurationError naming the variable */
export function readQueueConfig(settings: Settings): QueueConfig {
  return {
    dataDirectory: resolve(required(settings, "HACA_DATA_DIR")),
    databaseUrl: optional(settings, "HACA_WORKER_DATABASE_URL"),
    databasePool: required(settings, "HACA_DATABASE_POOL"),
    http: {
      host: required(settings, "HACA_HTTP_HOST"),
      port: required(settings, "HACA_HTTP_PORT"),
      bodyLimit: required(settings, "HACA_HTTP_BODY_LIMIT"),
    },
  };
}

/** @throws ConfigurationError naming the variable */
export function readBlobConfig(settings: Settings): BlobConfig {
  return {
    publisher: required(settings, "HACA_BLOB_PUBLISHER"),
    aggregator: required(settings, "HACA_BLOB_AGGREGATOR"),
    epochs: required(settings, "HACA_BLOB_EPOCHS"),
    timeoutMs: required(settings, "HACA_BLOB_TIMEOUT_MS"),
    renewSeconds: required(settings, "HACA_BLOB_RENEW_SECONDS"),
  };
}

/** Names and addresses that nobody but this machine reaches. */
const THIS_MACHINE = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

function readCollectSecret(settings: Settings): string | undefined {
  const secret = optional(settings, "HACA_COLLECT_SECRET");
  const host = required(settings, "HACA_HTTP_HOST");
  if (secret !== undefined || THIS_MACHINE.test(host)) return secret;
  throw new ConfigurationError({
    code: "configuration.missing",
    message: `HACA_COLLECT_SECRET: not set, and others than this machine reach HACA_HTTP_HOST ${host}`,
  });
}

/** Checks every setting that the roles need. @throws ConfigurationError naming the variable or the role */
export function readConfig(parameters: { roles: readonly string[]; settings: Settings }): Config {
  const { settings } = parameters;
  const roles = ROLES.filter((role) => parameters.roles.includes(role));
  const unknown = parameters.roles.find((role) => !ROLES.some((known) => known === role));
  if (unknown !== undefined || roles.length === 0) {
    throw new ConfigurationError({
      code: "configuration.role",
      message: `role: must be one or more of ${ROLES.join(", ")}, got ${unknown ?? "none"}`,
    });
  }
  const needsKey = roles.some((role) => role !== "prove");
  const needsModels = roles.includes("infer") || roles.includes("prove");
  const pageSize = required(settings, "HACA_PAGE_SIZE");
  const hasPages = roles.includes("settle") && pageSize > 1;
  const publisher = optional(settings, "HACA_BLOB_PUBLISHER");
  const hasStore = roles.includes("settle") && publisher !== undefined;
  const rpcUrl = required(settings, "HACA_RPC_URL");
  const chainId = required(settings, "HACA_CHAIN_ID");
  return {
    ...readQueueConfig(settings),
    roles,
    rpcUrl,
    rpcTimeoutMs: required(settings, "HACA_RPC_TIMEOUT_MS"),
    chainId,
    nodeKey: needsKey ? required(settings, "HACA_NODE_KEY") : undefined,
    addressBook: resolve(optional(settings, "HACA_ADDRESS_BOOK") ?? addressBookPath(chainId)),
    models: needsModels ? required(settings, "HACA_MODELS").map((folder) => resolve(folder)) : [],
    prover: optional(settings, "HACA_PROVER"),
    proveThreads: optional(settings, "HACA_PROVE_THREADS"),
    price: required(settings, "HACA_PRICE"),
    confirmations: required(settings, "HACA_CONFIRMATIONS"),
    reorgBlocks: required(settings, "HACA_REORG_BLOCKS"),
    pollMs: required(settings, "HACA_POLL_MS"),
    rebroadcastMs: required(settings, "HACA_REBROADCAST_MS"),
    replaceMs: required(settings, "HACA_REPLACE_MS"),
    maxFeePerGas: required(settings, "HACA_MAX_FEE_PER_GAS"),
    urgentMaxFeePerGas: required(settings, "HACA_URGENT_MAX_FEE_PER_GAS"),
    batch: {
      size: required(settings, "HACA_BATCH_SIZE"),
      maxAgeMs: required(settings, "HACA_BATCH_MAX_AGE"),
    },
    page: hasPages
      ? { size: pageSize, maxAgeMs: required(settings, "HACA_PAGE_MAX_AGE") }
      : undefined,
    optimisticModels: readOptimisticModels({ roles, settings, hasPages }),
    blobs: hasPages || hasStore ? readBlobConfig(settings) : undefined,
    operators: optional(settings, "HACA_OPERATORS") ?? [],
    escrow: optional(settings, "HACA_ESCROW"),
    claimSeconds: required(settings, "HACA_CLAIM_SECONDS"),
    collectSecret: roles.includes("collect") ? readCollectSecret(settings) : undefined,
    modelRefreshMs: required(settings, "HACA_MODEL_REFRESH_MS"),
    origins: optional(settings, "HACA_HTTP_ORIGINS") ?? [],
    logLevel: required(settings, "HACA_LOG_LEVEL"),
  };
}

/**
 * Who proposes what is to be proved on demand loses the deposit without a proof: all of it is one process's.
 * @throws ConfigurationError saying what is missing
 */
function readOptimisticModels(parameters: {
  roles: readonly Role[];
  settings: Settings;
  hasPages: boolean;
}): readonly string[] {
  const { hasPages, roles, settings } = parameters;
  const models = optional(settings, "HACA_OPTIMISTIC_MODELS") ?? [];
  if (models.length === 0 || !(roles.includes("infer") || roles.includes("settle"))) return [];
  const needed: readonly Role[] = ["infer", "prove", "settle"];
  const missing = needed.filter((role) => !roles.includes(role));
  if (missing.length > 0) {
    throw new ConfigurationError({
      code: "configuration.optimistic",
      message: `HACA_OPTIMISTIC_MODELS: takes the roles ${needed.join(", ")} in one process, and this one lacks ${missing.join(", ")}: a proof that is demanded and not given costs the deposit`,
    });
  }
  if (hasPages) return models;
  throw new ConfigurationError({
    code: "configuration.optimistic",
    message: "HACA_OPTIMISTIC_MODELS: takes pages: set HACA_PAGE_SIZE above 1",
  });
}

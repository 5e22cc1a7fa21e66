import { resolve } from "node:path";
import { addressBookPath } from "@haca/protocol/addressBook";
import {
  optional,
  type QueueConfig,
  readQueueConfig,
  required,
  type Settings,
} from "../../config/readConfig.ts";
import { ConfigurationError } from "../../errors.ts";

export type WatchRole = "watch" | "validate";

/** Of the role `validate`. */
export type ValidatorConfig = {
  /** private key that signs for pages */
  key: string;
  /** URLs of other validators, for their signatures */
  peers: readonly string[];
  /** own part of fees in smallest units of OPG, from which on pages are paid */
  payMinimum: bigint;
};

export type WatchConfig = QueueConfig & {
  roles: readonly WatchRole[];
  rpcUrl: string;
  rpcTimeoutMs: number;
  chainId: number;
  /** private key of the account that pays */
  key: string;
  addressBook: string;
  blobs: { aggregator: string; timeoutMs: number };
  confirmations: number;
  reorgBlocks: number;
  rebroadcastMs: number;
  replaceMs: number;
  /** ceilings in wei per gas, the second one for what is due within so many seconds */
  maxFeePerGas: bigint;
  urgentMaxFeePerGas: bigint;
  urgentSeconds: number;
  recheckSeconds: number;
  requestLeaves: number;
  requestBudget: bigint;
  demandProofs: number;
  /** folders of compiled models, to be run again on leaves of optimistic pages */
  models: readonly string[];
  requestAfterSeconds: number;
  /** folder of receipts that others gave this watcher; absent: none */
  receipts: string | undefined;
  answersRequests: boolean;
  /** absent without the role `validate` */
  validator: ValidatorConfig | undefined;
  pollMs: number;
  logLevel: string;
};

/** Checks every setting of the roles `watch` and `validate`. @throws ConfigurationError naming the variable */
export function readWatchConfig(parameters: {
  roles: readonly WatchRole[];
  settings: Settings;
}): WatchConfig {
  const { roles, settings } = parameters;
  const chainId = required(settings, "HACA_CHAIN_ID");
  const key = required(settings, "HACA_WATCHER_KEY");
  requireOwnKey(settings, key);
  const maxFeePerGas = required(settings, "HACA_MAX_FEE_PER_GAS");
  const urgentMaxFeePerGas = required(settings, "HACA_URGENT_MAX_FEE_PER_GAS");
  if (urgentMaxFeePerGas < maxFeePerGas) {
    throw new ConfigurationError({
      code: "configuration.invalid",
      message: "HACA_URGENT_MAX_FEE_PER_GAS: must not be below HACA_MAX_FEE_PER_GAS",
    });
  }
  return {
    ...readQueueConfig(settings),
    roles,
    rpcUrl: required(settings, "HACA_RPC_URL"),
    rpcTimeoutMs: required(settings, "HACA_RPC_TIMEOUT_MS"),
    chainId,
    key,
    addressBook: resolve(optional(settings, "HACA_ADDRESS_BOOK") ?? addressBookPath(chainId)),
    blobs: {
      aggregator: required(settings, "HACA_BLOB_AGGREGATOR"),
      timeoutMs: required(settings, "HACA_BLOB_TIMEOUT_MS"),
    },
    confirmations: required(settings, "HACA_CONFIRMATIONS"),
    reorgBlocks: required(settings, "HACA_REORG_BLOCKS"),
    rebroadcastMs: required(settings, "HACA_REBROADCAST_MS"),
    replaceMs: required(settings, "HACA_REPLACE_MS"),
    maxFeePerGas,
    urgentMaxFeePerGas,
    urgentSeconds: required(settings, "HACA_URGENT_SECONDS"),
    recheckSeconds: required(settings, "HACA_RECHECK_SECONDS"),
    demandProofs: required(settings, "HACA_DEMAND_PROOFS"),
    models: roles.includes("watch") ? modelsIn(settings) : [],
    receipts: receiptsIn(settings),
    requestLeaves: required(settings, "HACA_REQUEST_LEAVES"),
    requestBudget: required(settings, "HACA_REQUEST_BUDGET"),
    requestAfterSeconds: required(settings, "HACA_REQUEST_AFTER_SECONDS"),
    answersRequests: required(settings, "HACA_ANSWER_REQUESTS"),
    validator: roles.includes("validate")
      ? {
          key: required(settings, "HACA_VALIDATOR_KEY"),
          peers: optional(settings, "HACA_VALIDATOR_PEERS") ?? [],
          payMinimum: required(settings, "HACA_PAY_MINIMUM"),
        }
      : undefined,
    pollMs: required(settings, "HACA_POLL_MS"),
    logLevel: required(settings, "HACA_LOG_LEVEL"),
  };
}

const modelsIn = (settings: Settings): string[] =>
  (optional(settings, "HACA_MODELS") ?? []).map((folder) => resolve(folder));

const receiptsIn = (settings: Settings): string | undefined => {
  const folder = optional(settings, "HACA_RECEIPTS");
  return folder === undefined ? undefined : resolve(folder);
};

/** Nonces of an account come from one queue. */
function requireOwnKey(settings: Settings, key: string): void {
  for (const name of ["HACA_NODE_KEY", "HACA_FACILITATOR_KEY", "HACA_HEARTBEAT_KEY"] as const) {
    if (key.toLowerCase() !== optional(settings, name)?.toLowerCase()) continue;
    throw new ConfigurationError({
      code: "configuration.sharedKey",
      message: `HACA_WATCHER_KEY: must not be ${name}: two queues would take each other's nonces`,
    });
  }
}

import { resolve } from "node:path";
import { addressBookPath } from "@haca/protocol/addressBook";
import type { FeedSource } from "@haca/protocol/dataFeeds";
import {
  optional,
  type QueueConfig,
  readQueueConfig,
  required,
  type Settings,
} from "../../config/readConfig.ts";
import { ConfigurationError } from "../../errors.ts";

export type DataNodeConfig = QueueConfig & {
  rpcUrl: string;
  rpcTimeoutMs: number;
  chainId: number;
  /** private key of the account that pays */
  key: string;
  addressBook: string;
  enclaveUrl: string;
  feeds: readonly { feedId: string; source: FeedSource }[];
  /** other data nodes' workers */
  peers: readonly string[];
  /** hundredths of a percent by which a value differs from the latest answer for a round before its time */
  deviation: number;
  observeSeconds: number;
  turnSeconds: number;
  confirmations: number;
  rebroadcastMs: number;
  replaceMs: number;
  /** ceiling in wei per gas */
  maxFeePerGas: bigint;
  pollMs: number;
  logLevel: string;
};

/** Keys of this program's other accounts. */
const OTHERS = ["HACA_NODE_KEY", "HACA_HEARTBEAT_KEY", "HACA_FACILITATOR_KEY"] as const;

/** Checks every setting of the role `data-node`. @throws ConfigurationError naming the variable */
export function readDataNodeConfig(settings: Settings): DataNodeConfig {
  const chainId = required(settings, "HACA_CHAIN_ID");
  const key = required(settings, "HACA_DATA_NODE_KEY");
  for (const other of OTHERS) {
    if (key.toLowerCase() !== optional(settings, other)?.toLowerCase()) continue;
    throw new ConfigurationError({
      code: "configuration.sharedKey",
      message: `HACA_DATA_NODE_KEY: must not be ${other}: two queues would take each other's nonces`,
    });
  }
  const feeds = required(settings, "HACA_FEEDS");
  const twice = feeds.find(({ feedId }, i) => feeds.findIndex((f) => f.feedId === feedId) !== i);
  if (twice !== undefined) {
    throw new ConfigurationError({
      code: "configuration.feedTwice",
      message: `HACA_FEEDS: feed ${twice.feedId} is there twice`,
    });
  }
  return {
    ...readQueueConfig(settings),
    rpcUrl: required(settings, "HACA_RPC_URL"),
    rpcTimeoutMs: required(settings, "HACA_RPC_TIMEOUT_MS"),
    chainId,
    key,
    addressBook: resolve(optional(settings, "HACA_ADDRESS_BOOK") ?? addressBookPath(chainId)),
    enclaveUrl: required(settings, "HACA_ENCLAVE_URL"),
    feeds,
    peers: optional(settings, "HACA_DATA_PEERS") ?? [],
    deviation: required(settings, "HACA_FEED_DEVIATION"),
    observeSeconds: required(settings, "HACA_OBSERVE_SECONDS"),
    turnSeconds: required(settings, "HACA_TURN_SECONDS"),
    confirmations: required(settings, "HACA_CONFIRMATIONS"),
    rebroadcastMs: required(settings, "HACA_REBROADCAST_MS"),
    replaceMs: required(settings, "HACA_REPLACE_MS"),
    maxFeePerGas: required(settings, "HACA_MAX_FEE_PER_GAS"),
    pollMs: required(settings, "HACA_POLL_MS"),
    logLevel: required(settings, "HACA_LOG_LEVEL"),
  };
}

import { resolve } from "node:path";
import { addressBookPath } from "@haca/protocol/addressBook";
import { optional, required, type Settings } from "../../config/readConfig.ts";
import { ConfigurationError } from "../../errors.ts";

export type HeartbeatConfig = {
  rpcUrl: string;
  rpcTimeoutMs: number;
  chainId: number;
  /** private key of the account that pays */
  key: string;
  enclaveUrl: string;
  addressBook: string;
  /** where the session key is kept */
  dataDirectory: string;
  http: { host: string; port: number };
  /** seconds between two heartbeats; undefined: a third of the registry's limit */
  intervalSeconds: number | undefined;
  sessionSeconds: number;
  /** ceiling in wei per gas */
  maxFeePerGas: bigint;
  /** how long a transaction may go without a receipt before it is replaced, in milliseconds */
  rebroadcastMs: number;
  pollMs: number;
  logLevel: string;
};

/** Checks every setting of the role `heartbeat`. @throws ConfigurationError naming the variable */
export function readHeartbeatConfig(settings: Settings): HeartbeatConfig {
  const chainId = required(settings, "HACA_CHAIN_ID");
  const key = required(settings, "HACA_HEARTBEAT_KEY");
  if (key.toLowerCase() === optional(settings, "HACA_NODE_KEY")?.toLowerCase()) {
    throw new ConfigurationError({
      code: "configuration.sharedKey",
      message:
        "HACA_HEARTBEAT_KEY: must not be HACA_NODE_KEY: two processes would take each other's nonces",
    });
  }
  return {
    rpcUrl: required(settings, "HACA_RPC_URL"),
    rpcTimeoutMs: required(settings, "HACA_RPC_TIMEOUT_MS"),
    chainId,
    key,
    enclaveUrl: required(settings, "HACA_ENCLAVE_URL"),
    addressBook: resolve(optional(settings, "HACA_ADDRESS_BOOK") ?? addressBookPath(chainId)),
    dataDirectory: resolve(required(settings, "HACA_DATA_DIR")),
    http: {
      host: required(settings, "HACA_HTTP_HOST"),
      port: required(settings, "HACA_HTTP_PORT"),
    },
    intervalSeconds: optional(settings, "HACA_HEARTBEAT_SECONDS"),
    sessionSeconds: required(settings, "HACA_SESSION_SECONDS"),
    maxFeePerGas: required(settings, "HACA_MAX_FEE_PER_GAS"),
    rebroadcastMs: required(settings, "HACA_REBROADCAST_MS"),
    pollMs: required(settings, "HACA_POLL_MS"),
    logLevel: required(settings, "HACA_LOG_LEVEL"),
  };
}

import { resolve } from "node:path";
import { addressBookPath } from "@haca/protocol/addressBook";
import {
  type BlobConfig,
  optional,
  type QueueConfig,
  readBlobConfig,
  readQueueConfig,
  required,
  type Settings,
} from "../../config/readConfig.ts";
import { ConfigurationError } from "../../errors.ts";
import type { BatchLimits } from "./relayedCalls.ts";

/** Where clients of the public network look for a facilitator. */
const PORT = "4022";

export type FacilitatorConfig = QueueConfig & {
  rpcUrl: string;
  rpcTimeoutMs: number;
  chainId: number;
  /** private key of the account that pays */
  key: string;
  addressBook: string;
  /** address of the relay contract; undefined: the address book's */
  relay: string | undefined;
  /** address of InferenceEscrow; undefined: the address book's, if it has one */
  escrow: string | undefined;
  blobs: BlobConfig;
  /** for how long a content is kept, in seconds */
  keepSeconds: number;
  limits: BatchLimits;
  /** for whom payments are settled */
  paymentReceivers: readonly string[];
  /** tokens besides OPG that payments into the public escrow are in */
  paymentTokens: readonly string[];
  /** least deposit into a channel that is brought, in smallest units */
  leastDeposit: bigint;
  /** how long an answer waits for a payment */
  paymentWaitMs: number;
  /** oldest answer that is taken, in seconds */
  submissionAge: number;
  confirmations: number;
  reorgBlocks: number;
  rebroadcastMs: number;
  replaceMs: number;
  /** ceiling in wei per gas */
  maxFeePerGas: bigint;
  pollMs: number;
  logLevel: string;
};

/** Checks every setting of the role `facilitate`. @throws ConfigurationError naming the variable */
export function readFacilitatorConfig(settings: Settings): FacilitatorConfig {
  const chainId = required(settings, "HACA_CHAIN_ID");
  const key = required(settings, "HACA_FACILITATOR_KEY");
  if (key.toLowerCase() === optional(settings, "HACA_NODE_KEY")?.toLowerCase()) {
    throw new ConfigurationError({
      code: "configuration.sharedKey",
      message:
        "HACA_FACILITATOR_KEY: must not be HACA_NODE_KEY: two queues would take each other's nonces",
    });
  }
  return {
    ...readQueueConfig({ ...settings, HACA_HTTP_PORT: settings.HACA_HTTP_PORT || PORT }),
    rpcUrl: required(settings, "HACA_RPC_URL"),
    rpcTimeoutMs: required(settings, "HACA_RPC_TIMEOUT_MS"),
    chainId,
    key,
    addressBook: resolve(optional(settings, "HACA_ADDRESS_BOOK") ?? addressBookPath(chainId)),
    relay: optional(settings, "HACA_RELAY"),
    escrow: optional(settings, "HACA_ESCROW"),
    blobs: readBlobConfig(settings),
    keepSeconds: required(settings, "HACA_BLOB_KEEP_SECONDS"),
    limits: {
      size: required(settings, "HACA_RELAY_SIZE"),
      maximumAgeSeconds: required(settings, "HACA_RELAY_SECONDS"),
      idleSeconds: required(settings, "HACA_RELAY_IDLE_SECONDS"),
    },
    paymentReceivers: optional(settings, "HACA_PAYMENT_RECEIVERS") ?? [],
    paymentTokens: optional(settings, "HACA_PAYMENT_TOKENS") ?? [],
    leastDeposit: required(settings, "HACA_MIN_DEPOSIT"),
    paymentWaitMs: required(settings, "HACA_PAYMENT_WAIT_MS"),
    submissionAge: required(settings, "HACA_SUBMISSION_SECONDS"),
    confirmations: required(settings, "HACA_CONFIRMATIONS"),
    reorgBlocks: required(settings, "HACA_REORG_BLOCKS"),
    rebroadcastMs: required(settings, "HACA_REBROADCAST_MS"),
    replaceMs: required(settings, "HACA_REPLACE_MS"),
    maxFeePerGas: required(settings, "HACA_MAX_FEE_PER_GAS"),
    pollMs: required(settings, "HACA_POLL_MS"),
    logLevel: required(settings, "HACA_LOG_LEVEL"),
  };
}

import type { BlobStore } from "@haca/protocol/blobs/blobStore";
import type { Logger } from "pino";
import type { Chain } from "../chain/chain.ts";
import type { Database } from "../storage/database.ts";
import type { KeyRing } from "./keyRing.ts";
import type { VerifierMetrics } from "./verifierMetrics.ts";

/** What looking at pages needs, for whatever role. */
export type VerifierContext = {
  database: Database;
  chain: Chain & { pageSettlement: string };
  /** address of `ValidatorStaking`; absent where the deployment has none */
  staking?: string;
  /** where blobs are read */
  blobs: BlobStore;
  keys: KeyRing;
  /** block from which on there can be pages */
  firstBlock: number;
  /** depth to which what was seen is watched for a reorganisation, in blocks */
  reorgBlocks: number;
  /** blocks after which one counts as safe, where the chain does not say which are */
  confirmations: number;
  /** pause between two judgements of a page, in seconds: enclaves can be banned later */
  recheckSeconds: number;
  metrics: VerifierMetrics;
  logger: Logger;
};

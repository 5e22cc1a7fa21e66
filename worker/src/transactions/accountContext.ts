import type { Wallet } from "ethers";
import type { Logger } from "pino";
import type { Chain } from "../chain/chain.ts";
import type { Metrics } from "../metrics/createMetrics.ts";
import type { Database } from "../storage/database.ts";
import type { FeeGate } from "./fees.ts";
import type { Funds } from "./funds.ts";

/**
 * What sending transactions of the node's account needs. Every process that sends for one account has the same
 * database: that is where nonces come from.
 */
export type AccountContext = {
  database: Database;
  chain: Chain;
  wallet: Wallet;
  gate: FeeGate;
  /** what the account holds; where it is given, nothing is signed that could not be paid for */
  funds?: Funds;
  /** blocks, the transaction's own included, after which a receipt counts */
  confirmations: number;
  /** silence after which the same bytes are sent again */
  rebroadcastMs: number;
  /** age at which a transaction that is not mined is replaced by one with higher fees */
  replaceMs: number;
  metrics: Metrics;
  logger: Logger;
};

import type { Wallet } from "ethers";
import type { Logger } from "pino";
import type { Chain } from "../chain/chain.ts";
import type { TransactionStore } from "../jobs/transactionStore.ts";
import type { SenderMetrics } from "../metrics/senderMetrics.ts";
import type { FeeGate } from "./fees.ts";
import type { Funds } from "./funds.ts";
import type { GasLimits } from "./gasLimits.ts";

/** What sending transactions of an account needs, whatever they are for. */
export type AccountContext = {
  /** where nonces come from, and what is on its way */
  store: TransactionStore;
  chain: Pick<Chain, "provider" | "chainId">;
  wallet: Wallet;
  gate: FeeGate;
  gasLimits: GasLimits;
  /** what the account holds; where it is given, nothing is signed that could not be paid for */
  funds?: Funds;
  /** blocks, the transaction's own included, after which a receipt counts */
  confirmations: number;
  /** silence after which the same bytes are sent again */
  rebroadcastMs: number;
  /** age at which a transaction that is not mined is replaced by one with higher fees */
  replaceMs: number;
  metrics: SenderMetrics;
  logger: Logger;
};

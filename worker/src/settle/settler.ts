import type { Wallet } from "ethers";
import type { Logger } from "pino";
import type { Chain } from "../chain/chain.ts";
import type { CrashPoint } from "../crashPoint.ts";
import type { Database } from "../database/database.ts";
import type { Metrics } from "../metrics/createMetrics.ts";

/** What every step of the `settle` role works with. */
export type Settler = {
  database: Database;
  chain: Chain;
  wallet: Wallet;
  /** name under which this process leases jobs */
  owner: string;
  confirmations: number;
  reorgBlocks: number;
  rebroadcastMs: number;
  crashAfter: CrashPoint;
  metrics: Metrics;
  logger: Logger;
  /** a pass that is running when this is aborted ends after the job at hand */
  signal: AbortSignal;
};

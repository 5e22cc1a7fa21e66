import type { FeedSource, SignedObservation } from "@haca/protocol/dataFeeds";
import type { Logger } from "pino";
import type { Database } from "../../storage/database.ts";
import type { Sender } from "../../transactions/sender.ts";
import type { DataNodeMetrics } from "./createDataNodeMetrics.ts";
import type { FeedContract } from "./feedContract.ts";

/** A feed that this node looks after. */
export type WatchedFeed = { feedId: string; source: FeedSource; decimals: number };

/** What every step of the role `data-node` works with. */
export type DataNodeContext = {
  chainId: bigint;
  contract: FeedContract;
  enclaveUrl: string;
  teeId: string;
  feeds: readonly WatchedFeed[];
  peers: readonly string[];
  /** hundredths of a percent */
  deviation: number;
  turnSeconds: bigint;
  database: Database;
  /** name under which this process leases feeds */
  owner: string;
  sender: Sender;
  /** what this node's enclave saw last, by feed */
  latest: Map<string, SignedObservation>;
  metrics: DataNodeMetrics;
  logger: Logger;
  /** unix seconds */
  now: () => bigint;
};

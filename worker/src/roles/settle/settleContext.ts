import type { Chain } from "../../chain/chain.ts";
import type { Metrics } from "../../metrics/createMetrics.ts";
import type { Database } from "../../storage/database.ts";
import type { AccountContext } from "../../transactions/accountContext.ts";
import type { FeeGate } from "../../transactions/fees.ts";
import type { ChannelPorts } from "./channels/channelPorts.ts";
import type { Batching } from "./kinds/settlementDriver.ts";
import type { PagePorts } from "./pages/pagePorts.ts";
import type { PaymentPorts } from "./payments/paymentPorts.ts";

/** What every step of the `settle` role works with. */
export type SettleContext = Omit<AccountContext, "chain" | "metrics"> & {
  /** the queue, which is what `store` records in too */
  database: Database;
  chain: Chain;
  metrics: Metrics;
  /** name under which this process leases jobs and transactions */
  owner: string;
  batch: Batching;
  /** in place of `gate` while a proof is demanded, for everything that the account sends */
  urgentGate: FeeGate;
  /** absent where no pages are proposed */
  pages?: PagePorts;
  /** absent where there is no escrow: then nothing is captured */
  payments?: PaymentPorts;
  /** absent where nothing is claimed of channels */
  channels?: ChannelPorts;
  reorgBlocks: number;
  /** a pass that is running when this is aborted ends after the transaction at hand */
  signal: AbortSignal;
};

import type { AccountContext } from "../../transactions/accountContext.ts";

/** What every step of the `settle` role works with. */
export type SettleContext = AccountContext & {
  /** name under which this process leases jobs */
  owner: string;
  reorgBlocks: number;
  /** a pass that is running when this is aborted ends after the job at hand */
  signal: AbortSignal;
};

import type { Funds } from "../../transactions/funds.ts";
import type { Sender } from "../../transactions/sender.ts";

/** What every step of the `settle` role works with. */
export type Settler = Sender & {
  /** name under which this process leases jobs */
  owner: string;
  funds: Funds;
  reorgBlocks: number;
  /** a pass that is running when this is aborted ends after the job at hand */
  signal: AbortSignal;
};

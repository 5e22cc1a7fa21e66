import type { Block, ChainReader, Transaction } from "../reader/chainReader.ts";
import type { Discovered } from "./discover.ts";
import type { Finding } from "./finding.ts";

/** What every part of the check works with. */
export type Audit = Discovered & {
  reader: ChainReader;
  head: Block;
  /** a chain that is thrown away: what would be unsafe on another is only told */
  isDevelopmentChain: boolean;
  /** transactions that created contracts themselves */
  creations: Map<string, Transaction>;
  /** constructor arguments as they were sent, by address */
  constructed: Map<string, readonly unknown[]>;
  findings: Finding[];
};

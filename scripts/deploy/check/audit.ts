import type { Block, ChainReader, Transaction } from "../chain/chainReader.ts";
import type { ContractName } from "../compiled/compiledContract.ts";
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

/** Every instance of a contract: the deployment's, and those that came since. */
export const instancesOf = (audit: Audit): [ContractName, string][] => {
  const instances = new Map<string, ContractName>();
  for (const [name, address] of audit.contracts) instances.set(address, name);
  for (const { address, store } of audit.verifiers) {
    if (!instances.has(address)) instances.set(address, "NitroAttestationVerifier");
    if (store !== undefined && !instances.has(store)) instances.set(store, "CertificateStore");
  }
  return [...instances].map(([address, name]) => [name, address]);
};

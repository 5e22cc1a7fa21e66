import type { TransactionReceipt } from "ethers";
import type { Job } from "../../../jobs/job.ts";
import type { Stage, Waiting } from "../../../jobs/leases.ts";

/** How proven jobs are put together. */
export type Batching = {
  /** jobs that share a transaction at most; 1: none do */
  size: number;
  /** how long a proven job waits for others, by the database's clock */
  maxAgeMs: number;
};

/** Proven jobs that are to be leased, and how they go into transactions. */
export type Lot = {
  stage: Stage & { state: "proven" };
  /** only jobs of this version; absent: of any */
  versionId?: string;
  /** only jobs of this ledger page; absent: of any */
  page?: string;
  /** as one transaction, or each by its own */
  together: boolean;
  /** with fewer than these it is not made: somebody else has the others */
  least: number;
  most: number;
};

/** What happened to jobs: their transaction would revert, was mined and reverted, or succeeded without settling them. */
export type Mishap = "wouldRevert" | "reverted" | "unsettled";

/** What becomes of the jobs then: they `fail` with the contract's reason, or go on `apart`, each alone. */
export type Undoing = "fail" | "apart";

/** Tells whether the contract would refuse a transaction for these jobs. */
export type WouldRevert = (jobs: readonly Job[]) => Promise<boolean>;

/**
 * One kind of settlement: how jobs become one transaction, and how its outcome becomes theirs. The role `settle` does
 * everything else, the same for all kinds: leases, nonces, fees, attempts, receipts, reorganisations.
 */
export type SettlementDriver = {
  /** recorded with each transaction, so that whoever follows it knows who made it */
  name: string;
  /** whether these jobs, together, carry what this kind shows to the contract */
  takes(jobs: readonly Job[]): boolean;
  /** form: which of the jobs that wait go into transactions now */
  form(parameters: { waiting: readonly Waiting[]; batching: Batching }): Lot[];
  /** encode: the call of the settlement contract, sent by the jobs' node */
  encode(jobs: readonly Job[]): string;
  /**
   * estimate: of jobs whose transaction would revert, those that are why. All of them where none is by itself.
   */
  findInvalid(parameters: {
    jobs: readonly Job[];
    wouldRevert: WouldRevert;
  }): Promise<readonly Job[]>;
  /** follow: the requests that a transaction which succeeded has settled */
  settledBy(parameters: { receipt: TransactionReceipt; settlement: string }): ReadonlySet<string>;
  /**
   * undo: what becomes of jobs that a transaction does not settle. One that a reorganisation took away is sent again,
   * whatever its kind: its bytes are as good as they were, and its jobs wait for it again.
   */
  undo(mishap: Mishap): Undoing;
  /** reverts that time heals; every other one is a verdict on the job */
  transientReverts: readonly string[];
};

/** The requests that a contract's receipt names in the first indexed argument of an event. */
export function requestsOf(parameters: {
  receipt: TransactionReceipt;
  settlement: string;
  /** topic of the event */
  topic: string | undefined;
}): Set<string> {
  const { receipt, settlement, topic } = parameters;
  return new Set(
    receipt.logs
      .filter(({ address, topics }) => address === settlement && topics[0] === topic)
      .map(({ topics }) => topics[1] ?? ""),
  );
}

import type { TransactionReceipt } from "ethers";
import type { Chain } from "../../../chain/chain.ts";
import type { Job } from "../../../jobs/job.ts";
import type { Stage, Waiting } from "../../../jobs/leases.ts";
import type { ProposedPage } from "../../../jobs/pages.ts";
import type { Database } from "../../../storage/database.ts";
import type { PagePorts } from "../pages/pagePorts.ts";

/** How jobs of one sort are put together. */
export type Grouping = {
  /** jobs that share a transaction at most; 1: none do */
  size: number;
  /** how long a proven job waits for others, by the database's clock */
  maxAgeMs: number;
};

/** How proven jobs are put together: those with proofs in batches, those of enclaves in pages. */
export type Batching = Grouping & { page?: Grouping };

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

/**
 * What becomes of the jobs then: they `fail` with the contract's reason, go on `apart`, each alone, or go on `together`, as
 * if nothing had been tried.
 */
export type Undoing = "fail" | "apart" | "together";

/** Tells whether the contract would refuse a transaction for these jobs. */
export type WouldRevert = (jobs: readonly Job[]) => Promise<boolean>;

/** A contract and what it is called with. */
export type Call = { to: string; data: string };

/** What a driver can ask for to make a call. */
export type EncodeContext = {
  database: Database;
  chain: Chain;
  /** address that sends */
  account: string;
  /** absent where no pages are proposed */
  pages?: PagePorts;
};

/** What a transaction that succeeded has done. */
export type Followed = {
  /** requests that it has settled, or that the page took which it proposed */
  requests: ReadonlySet<string>;
  page?: ProposedPage;
};

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
  /**
   * form: those of the jobs that one transaction can carry now, one at least; the rest wait for the next one. Absent: all of
   * them. @throws NotYetError where none can be sent now, or all of them soon
   */
  takeFitting?(jobs: readonly Job[], context: EncodeContext): Promise<readonly Job[]>;
  /**
   * encode: the call for the jobs, sent by their node or its operator. Whatever has to be somewhere before it is sent is there
   * when this returns. @throws NotYetError where they have to wait, and others need not
   */
  encode(jobs: readonly Job[], context: EncodeContext): Call | Promise<Call>;
  /**
   * estimate: jobs that must not go together with the others although the contract would take them all, by their request
   * ids, and why; absent: there are none. @throws RetryableError
   */
  findUnfit?(jobs: readonly Job[], context: EncodeContext): Promise<ReadonlyMap<string, string>>;
  /**
   * estimate: of jobs whose transaction would revert, those that are why. All of them where none is by itself.
   */
  findInvalid(parameters: {
    jobs: readonly Job[];
    wouldRevert: WouldRevert;
  }): Promise<readonly Job[]>;
  /** follow: what a transaction which succeeded has done */
  follow(parameters: { receipt: TransactionReceipt; chain: Chain }): Followed;
  /**
   * undo: what becomes of jobs that a transaction does not settle. One that a reorganisation took away is sent again,
   * whatever its kind: its bytes are as good as they were, and its jobs wait for it again.
   * @param revert name of the contract's error, where it is known
   */
  undo(mishap: Mishap, revert?: string): Undoing;
  /** reverts that time heals; every other one is a verdict on the job */
  transientReverts: readonly string[];
};

/** The requests that the settlement contract's receipt names in the first indexed argument of an event. */
export function requestsOf(parameters: {
  receipt: TransactionReceipt;
  chain: Pick<Chain, "settlement">;
  /** topic of the event */
  topic: string | undefined;
}): Set<string> {
  const { chain, receipt, topic } = parameters;
  return new Set(
    receipt.logs
      .filter(({ address, topics }) => address === chain.settlement && topics[0] === topic)
      .map(({ topics }) => topics[1] ?? ""),
  );
}

/** Full transactions of jobs that belong together, and what is left over once the first of it has waited long enough. */
export function lotsOf(parameters: {
  waiting: Waiting;
  grouping: Grouping;
  lot: Omit<Lot, "together" | "least" | "most">;
}): Lot[] {
  const { jobs, oldestMs } = parameters.waiting;
  const { maxAgeMs, size } = parameters.grouping;
  const lot = { ...parameters.lot, together: true };
  const full = Math.floor(jobs / size);
  const lots: Lot[] = Array.from({ length: full }, () => ({ ...lot, least: size, most: size }));
  const isOld = oldestMs >= maxAgeMs && jobs % size > 0;
  return isOld ? [...lots, { ...lot, least: 1, most: size }] : lots;
}

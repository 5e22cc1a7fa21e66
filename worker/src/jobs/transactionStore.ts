import type { RecordedTransaction } from "./job.ts";

/** Signs a transaction with the nonce that it is given. */
export type SignWithNonce = (nonce: number) => Promise<{ hash: string; raw: string }>;

/** Jobs that a transaction settles, by their request ids, and the kind of settlement that made it. */
export type Settles = { kind: string; requestIds: readonly string[] };

export type MinedReceipt = {
  hash: string;
  blockNumber: number;
  blockHash: string;
  gasUsed: bigint;
};

/**
 * What an account's transactions are recorded in, before anything is sent: nonces come from here. Every process that
 * sends for one account has the same store.
 */
export type TransactionStore = {
  /**
   * What the first nonce is counted from: `pending` where whatever this account has in a pool is recorded here, `latest`
   * where it may not be, so that what is stuck in a pool is replaced and not waited for.
   */
  countedFrom: "pending" | "latest";
  /**
   * Has a transaction signed with the account's next nonce, and records it. Returns undefined, and uses no nonce, where
   * one of the jobs that it settles is not proven, or has a transaction already.
   */
  record(parameters: {
    /** number of transactions that the chain knows of the account */
    chainNonce: number;
    purpose: string;
    settles?: Settles;
    sign: SignWithNonce;
  }): Promise<RecordedTransaction | undefined>;
  /** Records another attempt under the nonce of the current one. False where that is no longer the current one. */
  recordReplacement(parameters: {
    replaced: string;
    replacement: { hash: string; raw: string };
  }): Promise<boolean>;
  recordSent(hash: string): Promise<void>;
  /** Notes the block of an attempt. Returns whether this call was the first. */
  recordMined(receipt: MinedReceipt): Promise<boolean>;
  /** Every attempt that could be mined under a nonce of the account, the current one first. */
  listAttempts(nonce: number): Promise<{ hash: string; raw: string }[]>;
  /** Transactions that no job waits for and that are not known to be mined, in order of their nonces. */
  listOpen(): Promise<{ purpose: string; transaction: RecordedTransaction }[]>;
  /** Makes an attempt the current one of its transaction: it was mined, although it had been replaced. */
  promote(hash: string): Promise<void>;
  /** Gives up every attempt under the nonce of this one: another transaction of the account has taken it. */
  drop(hash: string): Promise<void>;
  /** Whether the first of the open transactions lies behind a nonce and has been on its way for so long. */
  findGap(parameters: { nonce: number; patienceMs: number }): Promise<boolean>;
  /** Records a transaction for a nonce that nothing else has. False where something has it by now. */
  recordFiller(parameters: { nonce: number; hash: string; raw: string }): Promise<boolean>;
};

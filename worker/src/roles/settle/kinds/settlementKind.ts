import type { TransactionReceipt } from "ethers";
import type { Job } from "../../../jobs/job.ts";

/** One way to have a request settled by the contract. Everything else of the role is the same for all of them. */
export type SettlementKind = {
  name: string;
  /** whether a job carries the evidence that this kind shows to the contract */
  takes(job: Job): boolean;
  /** the call of the settlement contract, sent by the job's node */
  encode(job: Job): string;
  /** whether a transaction that succeeded has settled the request */
  hasSettled(parameters: {
    receipt: TransactionReceipt;
    settlement: string;
    requestId: string;
  }): boolean;
  /** reverts that time heals; every other one fails the job */
  transientReverts: readonly string[];
};

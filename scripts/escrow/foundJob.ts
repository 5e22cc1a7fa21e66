import type { CommerceJob } from "@haca/protocol/commercePayments";
import type { EscrowJob } from "@haca/protocol/escrowCalls";
import type { JobStatus } from "@haca/protocol/inferenceEscrow";

/** A job, of the escrow or of an operator of commerce payments, how it stands, and where it was opened and ended. */
export type FoundJob = {
  jobId: string;
  /** of an operator's: what it has in common with those of the escrow */
  job: EscrowJob;
  /** of an operator: whose it is, and what it takes; null for a job of the escrow */
  commerce: { operator: string; job: CommerceJob } | null;
  /** of an operator: what a capture could not give back to the payer yet */
  kept: bigint;
  status: JobStatus | "Reclaimed";
  opened: string;
  /** null while it is open, and of one that its payer reclaimed */
  end: {
    transaction: string;
    /** of the result that captured it; null otherwise, as are price and fee */
    requestId: string | null;
    price: bigint | null;
    fee: bigint | null;
    /** what the payer got back */
    returned: bigint;
  } | null;
};

import { Interface, type Log } from "ethers";
import { inferenceEscrowAbi } from "../generated/abi.ts";
import { type EscrowTerms, escrowJobId } from "./inferenceEscrow.ts";

/** Calls of `InferenceEscrow`, and the event by which its jobs are known. */
export const escrowInterface = new Interface(inferenceEscrowAbi);

/** A job, as callers of the escrow bring it. */
export type EscrowJob = {
  terms: EscrowTerms;
  payer: string;
  nonce: bigint;
  amount: bigint;
  /** unix seconds */
  deadline: bigint;
  feeReceiver: string;
};

/** The job of a permit, as the log of its opening has it; undefined where none of the logs is of it. */
export function jobOpenedIn(parameters: {
  logs: readonly Log[];
  escrow: string;
  payer: string;
  nonce: bigint;
}): EscrowJob | undefined {
  const { escrow, logs } = parameters;
  const topic = escrowInterface.getEvent("JobOpened")?.topicHash;
  const jobId = escrowJobId(parameters);
  const log = logs.find(
    ({ address, topics }) =>
      address.toLowerCase() === escrow.toLowerCase() && topics[0] === topic && topics[1] === jobId,
  );
  const args = log && escrowInterface.parseLog(log)?.args;
  if (args === undefined) return undefined;
  const { job } = args;
  const { amount, deadline, feeReceiver, nonce, payer, terms } = job.toObject();
  return { terms: terms.toObject(), payer, nonce, amount, deadline, feeReceiver };
}

import { AbiCoder, Interface, type Log, type Result } from "ethers";
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
  return args === undefined ? undefined : jobOf(args.job);
}

/** A job as bytes, which are the same for the same job. */
export const encodeEscrowJob = (job: EscrowJob): string =>
  AbiCoder.defaultAbiCoder().encode(jobTypes(), [job]);

/** The job that bytes have. */
export const decodeEscrowJob = (bytes: string): EscrowJob =>
  jobOf(AbiCoder.defaultAbiCoder().decode(jobTypes(), bytes)[0]);

const jobTypes = () => escrowInterface.getEvent("JobOpened")?.inputs.slice(-1) ?? [];

function jobOf(result: Result): EscrowJob {
  const { amount, deadline, feeReceiver, nonce, payer, terms } = result.toObject();
  return { terms: terms.toObject(), payer, nonce, amount, deadline, feeReceiver };
}

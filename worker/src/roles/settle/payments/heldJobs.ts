import { OPERATOR_STATUSES } from "@haca/protocol/commercePayments";
import { decodeEscrowJob, escrowInterface } from "@haca/protocol/escrowCalls";
import { JOB_STATUSES } from "@haca/protocol/inferenceEscrow";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { decodeCommerceJob, operatorInterface } from "@haca/protocol/operatorCalls";
import type { DuePayment, PaymentEnd } from "../../../jobs/heldPayments.ts";

/** How a job stands. */
export type JobState = PaymentEnd | "open";

/** `Verification.TEE` */
const TEE = 2;

/** Who holds a payment: where its job is, and how it is asked about. */
export type Holder = {
  to: string;
  /** the call that asks how the job stands, and what its answers say */
  statusOf: string;
  states: readonly JobState[];
};

/** A job whose content is known: when it can go back, and the calls that end it. */
export type HeldJob = {
  /** unix seconds */
  deadline: bigint;
  cancel: string;
  refund: string;
  capture(result: InferenceResult): string;
  captureFromPage(header: object, leaf: object): string;
};

const lower = <Name extends string>(names: readonly Name[]): Lowercase<Name>[] =>
  names.map((name) => name.toLowerCase() as Lowercase<Name>);
const ESCROW_STATES = lower(JOB_STATUSES);
const OPERATOR_STATES = lower(OPERATOR_STATUSES);

/** @param escrow address of InferenceEscrow */
export function holderOf(payment: DuePayment, escrow: string): Holder {
  const { job, jobId, operator } = payment;
  if (operator === null || job === null) {
    const statusOf = escrowInterface.encodeFunctionData("statusOf", [jobId]);
    return { to: escrow, statusOf, states: ESCROW_STATES };
  }
  const statusOf = operatorInterface.encodeFunctionData("statusOf", [
    decodeCommerceJob(job).payment,
  ]);
  return { to: operator, statusOf, states: OPERATOR_STATES };
}

/** Undefined while the job is not known. */
export function heldJobOf({ job: bytes, operator }: DuePayment): HeldJob | undefined {
  if (bytes === null) return undefined;
  const isEscrow = operator === null;
  const calls = isEscrow ? escrowInterface : operatorInterface;
  const job = isEscrow ? decodeEscrowJob(bytes) : decodeCommerceJob(bytes);
  // An operator gives back by the payment alone.
  const given = "payment" in job ? job.payment : job;
  return {
    deadline: "payment" in job ? job.payment.authorizationExpiry : job.deadline,
    cancel: calls.encodeFunctionData("cancel", [given]),
    refund: calls.encodeFunctionData("refund", [given]),
    capture: (result) => calls.encodeFunctionData("capture", [job, result, TEE]),
    captureFromPage: (header, leaf) =>
      calls.encodeFunctionData("captureFromPage", [job, header, leaf]),
  };
}

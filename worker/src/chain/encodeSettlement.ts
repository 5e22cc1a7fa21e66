import { NonRetryableError } from "../errors.ts";
import { type Job, resultOf } from "../jobs/job.ts";
import { settlementInterface } from "./chain.ts";

/** The call that settles a proven job, sent by its node: no signature is needed then. */
export function encodeSettlement(job: Job): string {
  if (job.proof === null) {
    throw new NonRetryableError({
      code: "settle.proofMissing",
      message: `request ${job.requestId} has no proof`,
    });
  }
  const words = [...job.inputWords, ...job.outputWords];
  return settlementInterface.encodeFunctionData("settleZkml", [
    resultOf(job),
    words,
    job.proof,
    "0x",
  ]);
}

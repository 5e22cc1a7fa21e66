import { settlementInterface } from "../../../chain/chain.ts";
import { resultOf } from "../../../jobs/job.ts";
import { requestsOf, type SettlementDriver } from "./settlementDriver.ts";

/** Jobs that are leased at a time. */
const LIMIT = 32;

/** Settlement of one result by the signature of the enclave that gave it. Anybody may send it. */
export const tee: SettlementDriver = {
  name: "tee",
  takes: (jobs) => jobs.length === 1 && jobs.every(({ enclave }) => enclave !== undefined),
  form: () => [
    { stage: { state: "proven", evidence: "enclave" }, together: false, least: 1, most: LIMIT },
  ],
  encode(jobs) {
    return jobs
      .map((job) =>
        settlementInterface.encodeFunctionData("settleTee", [resultOf(job), job.signature]),
      )
      .join("");
  },
  findInvalid: async ({ jobs }) => jobs,
  settledBy({ receipt, settlement }) {
    const topic = settlementInterface.getEvent("InferenceSettled")?.topicHash;
    return requestsOf({ receipt, settlement, topic });
  },
  undo: () => "fail",
  /**
   * The chain's clock is behind this machine's; or the request is held by a page, which may be rejected. What is settled for
   * good is found before.
   */
  transientReverts: ["InferenceSettlement_ResultFromFuture", "InferenceSettlement_AlreadySettled"],
};

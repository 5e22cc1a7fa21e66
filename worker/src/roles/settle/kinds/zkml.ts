import { settlementInterface } from "../../../chain/chain.ts";
import { resultOf } from "../../../jobs/job.ts";
import { requestsOf, type SettlementDriver } from "./settlementDriver.ts";

/** Jobs that are leased at a time. */
const LIMIT = 32;

/** Settlement of one job by its model's Groth16 proof. */
export const zkml: SettlementDriver = {
  name: "zkml",
  takes: (jobs) => jobs.length === 1 && jobs.every(({ proof }) => proof !== null),
  /** Whatever no other kind waits for. */
  form({ batching }) {
    const alone = batching.size === 1 ? {} : { settleAlone: true };
    const stage = { state: "proven", evidence: "proof", ...alone } as const;
    return [{ stage, together: false, least: 1, most: LIMIT }];
  },
  /** The sender is the result's node: no signature is needed then. */
  encode(jobs) {
    return jobs
      .map((job) => {
        const words = [...job.inputWords, ...job.outputWords];
        const values = [resultOf(job), words, job.proof, "0x"];
        return settlementInterface.encodeFunctionData("settleZkml", values);
      })
      .join("");
  },
  findInvalid: async ({ jobs }) => jobs,
  settledBy({ receipt, settlement }) {
    const topic = settlementInterface.getEvent("InferenceSettled")?.topicHash;
    return requestsOf({ receipt, settlement, topic });
  },
  undo: () => "fail",
  /** The chain's clock is behind this machine's. */
  transientReverts: ["InferenceSettlement_ResultFromFuture"],
};

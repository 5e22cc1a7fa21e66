import { settlementInterface } from "../../../chain/chain.ts";
import { resultOf } from "../../../jobs/job.ts";
import { requestsOf, type SettlementDriver } from "./settlementDriver.ts";

/** Jobs that are leased at a time. */
const LIMIT = 32;

/** Settlement of one result by the signature of the enclave that gave it. Anybody may send it. */
export const tee: SettlementDriver = {
  name: "tee",
  takes: (jobs) => jobs.length === 1 && jobs.every(({ enclave }) => enclave !== undefined),
  /** Whatever no page waits for. */
  form({ batching }) {
    const alone = batching.page === undefined ? {} : { settleAlone: true };
    const stage = { state: "proven", evidence: "enclave", ...alone } as const;
    return [{ stage, together: false, least: 1, most: LIMIT }];
  },
  encode([job], { chain }) {
    if (job === undefined) throw new Error("there is no job to settle");
    const values = [resultOf(job), job.signature];
    return {
      to: chain.settlement,
      data: settlementInterface.encodeFunctionData("settleTee", values),
    };
  },
  findInvalid: async ({ jobs }) => jobs,
  follow({ receipt, chain }) {
    const topic = settlementInterface.getEvent("InferenceSettled")?.topicHash;
    return { requests: requestsOf({ receipt, chain, topic }) };
  },
  undo: () => "fail",
  /**
   * The chain's clock is behind this machine's; or the request is held by a page, which may be rejected. What is settled for
   * good is found before.
   */
  transientReverts: ["InferenceSettlement_ResultFromFuture", "InferenceSettlement_AlreadySettled"],
};

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
  encode([job], { chain }) {
    if (job === undefined) throw new Error("there is no job to settle");
    const words = [...job.inputWords, ...job.outputWords];
    const values = [resultOf(job), words, job.proof, "0x"];
    return {
      to: chain.settlement,
      data: settlementInterface.encodeFunctionData("settleZkml", values),
    };
  },
  findInvalid: async ({ jobs }) => jobs,
  follow({ receipt, chain }) {
    const topic = settlementInterface.getEvent("InferenceSettled")?.topicHash;
    return { requests: requestsOf({ receipt, chain, topic }) };
  },
  undo: () => "fail",
  /** The chain's clock is behind this machine's. */
  transientReverts: ["InferenceSettlement_ResultFromFuture"],
};

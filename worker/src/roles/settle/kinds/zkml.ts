import { settlementInterface } from "../../../chain/chain.ts";
import { resultOf } from "../../../jobs/job.ts";
import type { SettlementKind } from "./settlementKind.ts";

/** Settlement by the model's Groth16 proof. */
export const zkml: SettlementKind = {
  name: "zkml",
  takes: ({ proof }) => proof !== null,
  /** The sender is the result's node: no signature is needed then. */
  encode(job) {
    const words = [...job.inputWords, ...job.outputWords];
    const values = [resultOf(job), words, job.proof, "0x"];
    return settlementInterface.encodeFunctionData("settleZkml", values);
  },
  hasSettled({ receipt, settlement, requestId }) {
    const topic = settlementInterface.getEvent("InferenceSettled")?.topicHash;
    return receipt.logs.some(
      ({ address, topics }) =>
        address === settlement && topics[0] === topic && topics[1] === requestId,
    );
  },
  /** The chain's clock is behind this machine's. */
  transientReverts: ["InferenceSettlement_ResultFromFuture"],
};

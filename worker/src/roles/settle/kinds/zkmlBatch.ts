import { decodeRequestId } from "@haca/protocol/requestId";
import { encodeZkmlBatch, type ZkmlBatchItem } from "@haca/protocol/zkmlBatch";
import { settlementInterface } from "../../../chain/chain.ts";
import type { Job } from "../../../jobs/job.ts";
import { lotsOf, requestsOf, type SettlementDriver, type WouldRevert } from "./settlementDriver.ts";

/**
 * Settlement of many jobs of one version and one node in one transaction, by their Groth16 proofs. The contract skips
 * what is recorded already, so that a job which somebody else settles meanwhile costs the others nothing; anything else
 * that is wrong with one reverts all of them, and that one goes on alone.
 */
export const zkmlBatch: SettlementDriver = {
  name: "zkmlBatch",
  takes(jobs) {
    const isOne = (values: readonly unknown[]) => new Set(values).size === 1;
    return (
      jobs.length > 1 &&
      jobs.every(({ proof }) => proof !== null) &&
      isOne(jobs.map(({ versionId }) => versionId)) &&
      isOne(jobs.map(({ requestId }) => decodeRequestId(requestId).node))
    );
  },
  form({ batching, waiting }) {
    if (batching.size === 1) return [];
    return waiting
      .filter(({ evidence }) => evidence === "proof")
      .flatMap((version) => {
        const stage = { state: "proven", evidence: "proof", settleAlone: false } as const;
        const lot = { stage, versionId: version.ofOne };
        return lotsOf({ waiting: version, grouping: batching, lot });
      });
  },
  encode(jobs, { chain }) {
    const [first] = jobs;
    const { node } = decodeRequestId(first?.requestId ?? "");
    const values = [first?.versionId, node, encodeZkmlBatch(jobs.map(itemOf)), "0x"];
    return {
      to: chain.settlement,
      data: settlementInterface.encodeFunctionData("settleZkmlBatch", values),
    };
  },
  async findInvalid({ jobs, wouldRevert }) {
    const invalid = await amongHalves({ jobs, wouldRevert });
    // Each half would pass by itself: nobody can say which of them it is.
    return invalid.length === 0 ? jobs : invalid;
  },
  follow({ receipt, chain }) {
    const topic = settlementInterface.getEvent("ZkmlBatchItemSettled")?.topicHash;
    return { requests: requestsOf({ receipt, chain, topic }) };
  },
  undo: () => "apart",
  /** Time heals it for a job alone; the others need not wait for it. */
  transientReverts: [],
};

/** What the contract cannot compute itself of a job: it knows version and node, and derives the hashes. */
const itemOf = ({ inputWords, outputWords, proof, ...job }: Job): ZkmlBatchItem => ({
  ...{ nonce: job.nonce, requester: job.requester, price: job.price, timestamp: job.timestamp },
  ...{ proof: proof ?? "0x", words: [...inputWords, ...outputWords] },
});

/** Those of jobs, which would revert together, that revert by themselves. */
async function amongHalves(parameters: {
  jobs: readonly Job[];
  wouldRevert: WouldRevert;
}): Promise<Job[]> {
  const { jobs, wouldRevert } = parameters;
  const middle = Math.ceil(jobs.length / 2);
  const invalid: Job[] = [];
  for (const half of [jobs.slice(0, middle), jobs.slice(middle)]) {
    if (half.length === 0 || !(await wouldRevert(half))) continue;
    if (half.length === 1) invalid.push(...half);
    else invalid.push(...(await amongHalves({ jobs: half, wouldRevert })));
  }
  return invalid;
}

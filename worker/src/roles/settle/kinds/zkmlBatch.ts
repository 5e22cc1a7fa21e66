import { decodeRequestId } from "@haca/protocol/requestId";
import { concat, Interface, toBeHex } from "ethers";
import type { Job } from "../../../jobs/job.ts";
import type { Waiting } from "../../../jobs/leases.ts";
import {
  type Batching,
  type Lot,
  requestsOf,
  type SettlementDriver,
  type WouldRevert,
} from "./settlementDriver.ts";

/** The part of the settlement contract that settles many proofs at once. */
export const zkmlBatchInterface = new Interface([
  "function settleZkmlBatch(bytes32 modelVersion, address node, bytes items, bytes nodeSignature) returns (uint256 settled)",
  "event ZkmlBatchItemSettled(bytes32 indexed requestId, bytes32 indexed modelVersion, address indexed requester, bytes32 inputHash, bytes32 outputHash, uint256 price, uint64 timestamp)",
]);

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
    return waiting.flatMap((version) => lotsOf({ version, batching }));
  },
  encode(jobs) {
    const [first] = jobs;
    const { node } = decodeRequestId(first?.requestId ?? "");
    const values = [first?.versionId, node, packItems(jobs), "0x"];
    return zkmlBatchInterface.encodeFunctionData("settleZkmlBatch", values);
  },
  async findInvalid({ jobs, wouldRevert }) {
    const invalid = await amongHalves({ jobs, wouldRevert });
    // Each half would pass by itself: nobody can say which of them it is.
    return invalid.length === 0 ? jobs : invalid;
  },
  settledBy({ receipt, settlement }) {
    const topic = zkmlBatchInterface.getEvent("ZkmlBatchItemSettled")?.topicHash;
    return requestsOf({ receipt, settlement, topic });
  },
  undo: () => "apart",
  /** Time heals it for a job alone; the others need not wait for it. */
  transientReverts: [],
};

/** Full batches, and what is left over once the first of it has waited long enough. */
function lotsOf(parameters: { version: Waiting; batching: Batching }): Lot[] {
  const { versionId, jobs, oldestMs } = parameters.version;
  const { maxAgeMs, size } = parameters.batching;
  const lot = {
    stage: { state: "proven", settleAlone: false },
    versionId,
    together: true,
  } as const;
  const full = Math.floor(jobs / size);
  const lots: Lot[] = Array.from({ length: full }, () => ({ ...lot, least: size, most: size }));
  const isOld = oldestMs >= maxAgeMs && jobs % size > 0;
  return isOld ? [...lots, { ...lot, least: 1, most: size }] : lots;
}

/**
 * nonce (12 bytes) | requester (20) | price (32) | timestamp (8) | proof (256) | words (32 each), for each job. The
 * contract knows version and node, and derives the hashes.
 */
export function packItems(jobs: readonly Job[]): string {
  return concat(
    jobs.flatMap((job) => [
      toBeHex(job.nonce, 12),
      job.requester,
      toBeHex(job.price, 32),
      toBeHex(job.timestamp, 8),
      job.proof ?? "0x",
      ...[...job.inputWords, ...job.outputWords].map((word) => toBeHex(word, 32)),
    ]),
  );
}

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

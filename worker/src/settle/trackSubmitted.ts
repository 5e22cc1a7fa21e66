import type { TransactionReceipt } from "ethers";
import { settlementInterface } from "../chain/chain.ts";
import { explainRevert } from "../chain/explainRevert.ts";
import { isSettled } from "../chain/isSettled.ts";
import { answerOf } from "../chain/rpcErrors.ts";
import type { Job, RecordedTransaction } from "../queue/job.ts";
import { recordFailure } from "../queue/recordFailure.ts";
import { recordForeignSettlement } from "../queue/recordForeignSettlement.ts";
import { recordSettlement } from "../queue/recordSettlement.ts";
import { broadcastSigned } from "./broadcastSigned.ts";
import type { Settler } from "./settler.ts";

/**
 * Looks for the receipt of a submitted job: settled or failed once it has its confirmations; sent again when
 * it has been silent for long. Returns whether the job moved on.
 */
export async function trackSubmitted(parameters: {
  settler: Settler;
  job: Job;
  head: number;
}): Promise<boolean> {
  const { settler, job, head } = parameters;
  const { transaction } = job;
  if (transaction === null) return false;
  const { provider } = settler.chain;
  const receipt = await answerOf(provider.getTransactionReceipt(transaction.hash));
  if (receipt === null) {
    if (!isSilentForLong(transaction, settler.rebroadcastMs)) return false;
    const { hash, nonce } = transaction;
    settler.logger.info({ requestId: job.requestId, transaction: hash, nonce }, "sending again");
    return await broadcastSigned({ settler, job });
  }
  const depth = head - receipt.blockNumber + 1;
  if (depth < settler.confirmations) return false;
  return receipt.status === 1
    ? await settle({ settler, job, receipt })
    : await fail({ settler, job, transaction, receipt });
}

/** After a reorganisation `broadcastAt` is empty: the transaction is sent again at once. */
function isSilentForLong(transaction: RecordedTransaction, rebroadcastMs: number): boolean {
  const { broadcastAt } = transaction;
  return broadcastAt === null || Date.now() - broadcastAt.getTime() >= rebroadcastMs;
}

async function settle(parameters: {
  settler: Settler;
  job: Job;
  receipt: TransactionReceipt;
}): Promise<boolean> {
  const { settler, job, receipt } = parameters;
  const { database, logger, metrics } = settler;
  const { requestId } = job;
  if (!hasEvent({ settler, requestId, receipt })) {
    const message = `transaction ${receipt.hash} succeeded without settling the request`;
    const code = "settle.eventMissing";
    return await recordFailure({ database, requestId, from: "submitted", code, message });
  }
  const { hash, blockNumber, blockHash, gasUsed } = receipt;
  const mined = { hash, blockNumber, blockHash, gasUsed };
  const moved = await recordSettlement({ database, requestId, mined });
  settler.crashAfter("settled");
  if (moved) {
    metrics.settlementGas.observe(Number(gasUsed));
    logger.info(
      { requestId, transaction: hash, block: blockNumber, gas: Number(gasUsed) },
      "settled",
    );
  }
  return moved;
}

async function fail(parameters: {
  settler: Settler;
  job: Job;
  transaction: RecordedTransaction;
  receipt: TransactionReceipt;
}): Promise<boolean> {
  const { settler, job, transaction, receipt } = parameters;
  const { chain, database, logger } = settler;
  const { requestId } = job;
  if (await answerOf(isSettled({ chain, requestId }))) {
    logger.warn({ requestId }, "settled by a transaction that is not in this queue");
    return await recordForeignSettlement({ database, requestId });
  }
  const revert = await answerOf(explainRevert({ chain, raw: transaction.raw, receipt }));
  logger.error({ requestId, transaction: transaction.hash, revert: revert.message }, "reverted");
  const code = `revert.${revert.name}`;
  const message = `transaction ${transaction.hash}: ${revert.message}`;
  return await recordFailure({ database, requestId, from: "submitted", code, message });
}

function hasEvent(parameters: {
  settler: Settler;
  requestId: string;
  receipt: TransactionReceipt;
}): boolean {
  const { settler, requestId, receipt } = parameters;
  const topic = settlementInterface.getEvent("InferenceSettled")?.topicHash;
  return receipt.logs.some(
    (log) =>
      log.address === settler.chain.settlement &&
      log.topics[0] === topic &&
      log.topics[1] === requestId,
  );
}

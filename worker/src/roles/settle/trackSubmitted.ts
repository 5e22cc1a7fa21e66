import type { TransactionReceipt } from "ethers";
import { explainRevert } from "../../chain/explainRevert.ts";
import { answerOf, requireSameChain } from "../../chain/rpcErrors.ts";
import type { Job, RecordedTransaction } from "../../jobs/job.ts";
import { recordFailure } from "../../jobs/proofs.ts";
import { recordSettlement } from "../../jobs/settlements.ts";
import { recordMined } from "../../jobs/transactions.ts";
import { followTransaction } from "../../transactions/followTransaction.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import { acceptExternal } from "./external.ts";
import { giveUpNonce } from "./giveUpNonce.ts";
import { kindOf } from "./kinds/kinds.ts";
import type { SettleContext } from "./settleContext.ts";

/**
 * Looks after the transaction of a submitted job: settled or failed once one of its attempts has its confirmations.
 * Returns whether the job moved on.
 */
export async function trackSubmitted(parameters: {
  context: SettleContext;
  view: ChainView;
  job: Job;
}): Promise<boolean> {
  const { context, view, job } = parameters;
  const { transaction } = job;
  if (transaction === null) return false;
  const outcome = await followTransaction({ context, view, transaction });
  if (outcome.state === "taken") {
    return await takenNonce({ context, view, job, transaction });
  }
  if (outcome.state === "waiting") return false;
  const { raw, receipt } = outcome;
  return receipt.status === 1
    ? await settle({ context, job, receipt })
    : await fail({ context, view, job, raw, receipt });
}

/**
 * A nonce that is used up without a receipt: mostly the receipt of our own attempt is only late. Where it stays away
 * and the request is settled all the same, the transaction that did it is not in this queue.
 */
async function takenNonce(parameters: {
  context: SettleContext;
  view: ChainView;
  job: Job;
  transaction: RecordedTransaction;
}): Promise<boolean> {
  const { context, view, job, transaction } = parameters;
  if (await giveUpNonce({ context, view, job })) return true;
  if (transaction.ageMs < context.replaceMs) return false;
  return await acceptExternal({ context, view, job });
}

async function settle(parameters: {
  context: SettleContext;
  job: Job;
  receipt: TransactionReceipt;
}): Promise<boolean> {
  const { context, job, receipt } = parameters;
  const { database, logger, metrics } = context;
  const { requestId } = job;
  const { settlement } = context.chain;
  if (!kindOf(job).hasSettled({ receipt, settlement, requestId })) {
    const message = `transaction ${receipt.hash} succeeded without settling the request`;
    const code = "settle.eventMissing";
    await recordMined({ database, receipt });
    return await recordFailure({ database, requestId, from: "submitted", code, message });
  }
  const { hash, blockNumber, blockHash, gasUsed } = receipt;
  const mined = { hash, blockNumber, blockHash, gasUsed };
  const moved = await recordSettlement({ database, requestId, mined });
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
  context: SettleContext;
  view: ChainView;
  job: Job;
  raw: string;
  receipt: TransactionReceipt;
}): Promise<boolean> {
  const { context, view, job, raw, receipt } = parameters;
  const { chain, database, logger } = context;
  const { requestId } = job;
  // Mined, whatever becomes of the job: not one that others wait behind.
  await recordMined({ database, receipt });
  if (await acceptExternal({ context, view, job })) return true;
  const revert = await answerOf(explainRevert({ chain, raw, receipt }));
  await requireSameChain(chain);
  logger.error({ requestId, transaction: receipt.hash, revert: revert.message }, "reverted");
  const code = `revert.${revert.name}`;
  const message = `transaction ${receipt.hash}: ${revert.message}`;
  return await recordFailure({ database, requestId, from: "submitted", code, message });
}

import { settledAmong } from "../../chain/chain.ts";
import { answerOf, requireSameChain } from "../../chain/rpcErrors.ts";
import type { Job, RecordedTransaction } from "../../jobs/job.ts";
import { recordBroadcast } from "../../jobs/settlements.ts";
import type { SettlementTransaction } from "../../jobs/transactionLeases.ts";
import { dropTransaction } from "../../jobs/transactions.ts";
import { type Offered, offerAttempt } from "../../transactions/attempts.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import { acceptExternal } from "./external.ts";
import { jobFields } from "./leasings.ts";
import type { SettleContext } from "./settleContext.ts";

type Parameters = { context: SettleContext; view: ChainView };

/**
 * Sends the recorded transaction of proven jobs. One that is too cheap for the endpoint, which it may be since fees
 * rose, is replaced; one whose nonce is used up by another is given up. Returns how many jobs moved on.
 * @throws RefusedByEndpointError where this transaction is not taken for now; others may be
 */
export async function broadcastSigned(
  parameters: Parameters & { settlement: SettlementTransaction },
): Promise<number> {
  const { context, view } = parameters;
  const { jobs, transaction } = parameters.settlement;
  const offered = await offerAttempt({ context, view, transaction });
  return await recordOffered({ context, view, jobs, transaction, offered });
}

/** Notes what became of the offer of proven jobs' transaction. Returns how many jobs moved on. */
export async function recordOffered(
  parameters: Parameters & {
    jobs: readonly Job[];
    transaction: RecordedTransaction;
    offered: Offered;
  },
): Promise<number> {
  const { context, jobs, offered, transaction } = parameters;
  if (offered.state === "taken") return await takenNonce(parameters);
  const { database, logger } = context;
  const { hash } = offered;
  const moved = await recordBroadcast({ database, transactionHash: hash });
  if (moved.length > 0) {
    logger.info({ ...jobFields(jobs), transaction: hash, nonce: transaction.nonce }, "submitted");
  }
  return moved.length;
}

/**
 * A nonce that is used up without a receipt: by another transaction, or by one of ours whose receipt is only late, which
 * an endpoint that lags shows in the same way. In the very block that shows the nonce as used, ours would have left no
 * request unsettled: where one is, the jobs get another transaction. Where all are settled and the receipt stays away,
 * transactions did it that are not in this queue. Returns how many jobs moved on.
 */
export async function takenNonce(
  parameters: Parameters & { jobs: readonly Job[]; transaction: RecordedTransaction },
): Promise<number> {
  const { context, view, jobs, transaction } = parameters;
  const { chain, database, logger, metrics } = context;
  const { hash, nonce } = transaction;
  const requestIds = jobs.map(({ requestId }) => requestId);
  const settled = await answerOf(settledAmong({ chain, requestIds, block: view.head }));
  if (settled.size === requestIds.length) {
    if (transaction.ageMs < context.replaceMs) return 0;
    return (await acceptExternal({ context, view, jobs })).length;
  }
  await requireSameChain(chain);
  const moved = await dropTransaction({ database, transactionHash: hash });
  metrics.transactions.inc({ event: "taken" });
  const fields = { ...jobFields(jobs), transaction: hash, nonce };
  logger.warn(fields, "nonce taken by another transaction");
  return moved;
}

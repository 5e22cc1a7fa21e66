import { isSettled } from "../../chain/chain.ts";
import { answerOf, requireSameChain } from "../../chain/rpcErrors.ts";
import { decideExternalSettled, listExternalSettled } from "../../jobs/finality.ts";
import type { Job } from "../../jobs/job.ts";
import { recordExternalSettlement } from "../../jobs/settlements.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import type { SettleContext } from "./settleContext.ts";

/** Records that a transaction which is not in this queue settled a request. Returns whether one did. */
export async function acceptExternal(parameters: {
  context: SettleContext;
  view: ChainView;
  job: Job;
}): Promise<boolean> {
  const { context, view, job } = parameters;
  const { chain, database, logger } = context;
  const { requestId } = job;
  if (!(await answerOf(isSettled({ chain, requestId, block: view.head })))) return false;
  await requireSameChain(chain);
  logger.warn({ requestId }, "settled by a transaction that is not in this queue");
  return await recordExternalSettlement({ database, requestId, head: view.head });
}

/**
 * Asks again for settlements by transactions of somebody else, until they are deeper than `reorgBlocks`: where one is
 * gone, the job is settled by the node after all. Returns how many jobs went back.
 */
export async function watchExternal(parameters: {
  context: SettleContext;
  head: number;
}): Promise<number> {
  const { context, head } = parameters;
  const { chain, database, logger, reorgBlocks } = context;
  let reopened = 0;
  for (const { requestId, seenAtBlock } of await listExternalSettled({ database })) {
    if (await answerOf(isSettled({ chain, requestId, block: head }))) {
      if (head - seenAtBlock < reorgBlocks) continue;
      await decideExternalSettled({ database, requestId, outcome: "final" });
    } else if (await decideExternalSettled({ database, requestId, outcome: "gone" })) {
      reopened += 1;
      logger.warn({ requestId }, "the settlement by somebody else is gone");
    }
  }
  return reopened;
}
